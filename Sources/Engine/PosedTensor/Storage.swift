package import PosedBackend

/// A buffer shared by the views of a tensor. Storage lent by a `Workspace` returns to it with the last
/// view.
package final class Storage: Sendable {
    package let buffer: Buffer
    private let lender: (any StorageLender)?

    /// Storage of its own, freed with the last view.
    package init(buffer: Buffer) {
        self.buffer = buffer
        lender = nil
    }

    init(buffer: Buffer, lender: any StorageLender) {
        self.buffer = buffer
        self.lender = lender
    }

    /// Whether it goes back to that lender.
    func isLent(by other: any StorageLender) -> Bool { lender === other }

    deinit { lender?.takeBack(buffer) }
}

/// Whoever lends buffers and wants them back.
protocol StorageLender: AnyObject, Sendable {
    /// The last view of the buffer is gone.
    func takeBack(_ buffer: Buffer)
}
