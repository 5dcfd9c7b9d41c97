import CPosedBackend
package import PosedBackend

/// A strided view of typed elements on a device. Copying the value shares the elements.
///
/// Shapes and strides count elements, outermost first. A value keeps its storage alive; storage of a
/// `Workspace` goes back to it when the last view is gone.
package struct Tensor: Sendable {
    package let storage: Storage
    /// Where the first element lies, in elements from the storage's start.
    package let offset: Int
    package let dtype: DType
    package let shape: [Int]
    package let strides: [Int]

    /// A view with strides of the caller's choice. Nothing is checked here: the backend refuses what
    /// reaches beyond the buffer.
    package init(storage: Storage, offset: Int, dtype: DType, shape: [Int], strides: [Int]) {
        self.storage = storage
        self.offset = offset
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
    }

    /// A dense row-major view of the whole of `storage`.
    package init(storage: Storage, dtype: DType, shape: [Int]) {
        self.init(
            storage: storage, offset: 0, dtype: dtype, shape: shape,
            strides: Tensor.denseStrides(of: shape))
    }

    /// Elements in the view.
    package var count: Int { shape.reduce(1, *) }

    /// Bytes of the elements, were they dense.
    package var byteCount: Int { count * dtype.size }

    /// Whether the elements lie one after another in row-major order.
    package var isDense: Bool { strides == Tensor.denseStrides(of: shape) }

    /// The strides of a dense row-major tensor of that shape.
    package static func denseStrides(of shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in stride(from: shape.count - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * shape[axis + 1]
        }
        return strides
    }

    /// The view as the C interface has it. Operations take `Compute.native`, which a captured graph hears of.
    var native: posed_tensor {
        precondition(shape.count <= Int(POSED_MAX_RANK), "a tensor of rank \(shape.count)")
        var view = posed_tensor()
        view.buffer = storage.buffer.handle
        view.offset_bytes = UInt64(offset * dtype.size)
        view.dtype = dtype.rawValue
        view.rank = UInt32(shape.count)
        withUnsafeMutableBytes(of: &view.shape) { bytes in
            let extents = bytes.bindMemory(to: Int64.self)
            for (axis, extent) in shape.enumerated() { extents[axis] = Int64(extent) }
        }
        withUnsafeMutableBytes(of: &view.stride) { bytes in
            let steps = bytes.bindMemory(to: Int64.self)
            for (axis, step) in strides.enumerated() { steps[axis] = Int64(step) }
        }
        return view
    }
}
