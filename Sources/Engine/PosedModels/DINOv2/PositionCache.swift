import PosedBackend
import PosedTensor

/// Position embeddings on the device, interpolated once for each size of picture that is in use.
final class PositionCache: Sendable {
    private struct Size: Hashable {
        let rows: Int
        let columns: Int
    }

    private let grid: PositionGrid
    private let storages = WeakCache<Size, Storage>()

    init(_ grid: PositionGrid) { self.grid = grid }

    /// The embeddings of a picture of `rows` × `columns` patches: [rows · columns, D] float32.
    ///
    /// They are found again as long as a tensor or a captured graph keeps them. Otherwise the call uploads
    /// them, and so must not be part of a capture.
    func embeddings(rows: Int, columns: Int, on compute: Compute) throws -> Tensor {
        let shape = [rows * columns, grid.width]
        let storage = try storages.value(Size(rows: rows, columns: columns)) {
            let values =
                rows == grid.side && columns == grid.side
                ? grid.values : grid.interpolated(rows: rows, columns: columns)
            let tensor = try compute.tensor(values, shape)
            try compute.synchronize()  // other streams may use it next
            return tensor.storage
        }
        return Tensor(storage: storage, dtype: .f32, shape: shape)
    }
}
