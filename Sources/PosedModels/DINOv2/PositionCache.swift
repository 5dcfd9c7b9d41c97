import PosedGuarded
import PosedTensor

/// Position embeddings on the device, interpolated once for each size of picture.
final class PositionCache: Sendable {
    private struct Size: Hashable {
        let rows: Int
        let columns: Int
    }

    /// Sizes that are kept; a program uses one or two.
    private static let limit = 16

    private let grid: PositionGrid
    private let tensors = Guarded<[Size: Tensor]>([:])

    init(_ grid: PositionGrid) { self.grid = grid }

    /// Bytes of device memory.
    var byteCount: Int { tensors.withLock { $0.values.reduce(0) { $0 + $1.byteCount } } }

    /// The embeddings of a picture of `rows` × `columns` patches: [rows · columns, D] float32.
    ///
    /// The first call for a size uploads, and so must not be part of a capture.
    func embeddings(rows: Int, columns: Int, on compute: Compute) throws -> Tensor {
        let size = Size(rows: rows, columns: columns)
        if let tensor = tensors.withLock({ $0[size] }) { return tensor }
        let values =
            rows == grid.side && columns == grid.side
            ? grid.values : grid.interpolated(rows: rows, columns: columns)
        let tensor = try compute.tensor(values, [rows * columns, grid.width])
        try compute.synchronize()  // other streams may use it next
        return tensors.withLock { tensors in
            if let earlier = tensors[size] { return earlier }
            if tensors.count >= Self.limit { tensors.removeAll() }
            tensors[size] = tensor
            return tensor
        }
    }
}
