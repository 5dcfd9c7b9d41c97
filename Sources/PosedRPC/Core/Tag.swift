internal import Synchronization

/// What a completion says: the closed list of all that can come out of a queue.
enum Completion {
    /// A call came, or will come no more.
    case arrival(ArrivalSlot)
    /// The operations of a batch are done.
    case batch(Batch)
    /// A server's shutdown is complete.
    case serverStopped(CoreServer)
    /// A channel's state changed, or the wait for it is over.
    case connectivity(ConnectivityWatch)
}

/// The library's ticket for one completion. Issued once, redeemed or revoked once.
final class Tag: Sendable {
    private let completion: Mutex<Completion?>
    private let entry: Ledger.Entry

    private init(_ completion: sending Completion, ledger: Ledger) {
        self.completion = Mutex(completion)
        entry = Ledger.Entry(.tags, in: ledger)
    }

    /// A tag to hand to the library, which holds it until it comes out of the queue.
    static func issue(
        _ completion: sending Completion, ledger: Ledger
    ) -> UnsafeMutableRawPointer {
        Unmanaged.passRetained(Tag(completion, ledger: ledger)).toOpaque()
    }

    /// What the tag stands for. It is spent; nil if it was spent before.
    static func redeem(_ pointer: UnsafeMutableRawPointer) -> Completion? {
        let tag = Unmanaged<Tag>.fromOpaque(pointer).takeRetainedValue()
        return tag.completion.withLock { completion in
            defer { completion = nil }
            return completion
        }
    }

    /// Takes back a tag that the library refused.
    static func revoke(_ pointer: UnsafeMutableRawPointer) {
        _ = redeem(pointer)
    }
}
