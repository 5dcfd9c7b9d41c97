import CPosedBackend
package import PosedBackend

/// A strided view of typed elements on a device. Copying the value shares the elements.
///
/// Shapes and strides count elements, outermost first. A value keeps its storage alive; storage of a
/// `Workspace` goes back to it when the last view is gone.
package struct Tensor: Sendable {
    package let storage: Storage
    /// The offset of the first element, in elements from the storage's start.
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

extension Tensor {
    /// The same elements in another dense shape. The tensor is dense and holds as many elements.
    package func reshaped(_ shape: [Int]) -> Tensor {
        precondition(isDense, "only a dense tensor can be reshaped")
        precondition(shape.reduce(1, *) == count, "\(self.shape) reshaped to \(shape)")
        return Tensor(
            storage: storage, offset: offset, dtype: dtype, shape: shape,
            strides: Tensor.denseStrides(of: shape))
    }

    /// One axis in two: an extent n becomes [n / inner, inner].
    package func splitting(axis: Int, inner: Int) -> Tensor {
        precondition(inner > 0 && shape[axis] % inner == 0, "\(shape[axis]) split by \(inner)")
        var shape = shape
        var strides = strides
        shape.replaceSubrange(axis...axis, with: [shape[axis] / inner, inner])
        strides.replaceSubrange(axis...axis, with: [strides[axis] * inner, strides[axis]])
        return with(shape: shape, strides: strides)
    }

    /// The axes in another order.
    package func permuted(_ order: [Int]) -> Tensor {
        precondition(order.sorted() == Array(0..<shape.count), "\(order) orders no axes")
        return with(shape: order.map { shape[$0] }, strides: order.map { strides[$0] })
    }

    /// The part of one axis in `range`.
    package func sliced(axis: Int, _ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[axis], "\(range)")
        var shape = shape
        shape[axis] = range.count
        return with(
            shape: shape, strides: strides, offset: offset + range.lowerBound * strides[axis])
    }

    /// One element of the first axis, the axis dropped.
    package subscript(_ index: Int) -> Tensor {
        precondition(index >= 0 && index < shape[0], "index \(index) of \(shape)")
        return with(
            shape: Array(shape.dropFirst()), strides: Array(strides.dropFirst()),
            offset: offset + index * strides[0])
    }

    /// A new first axis of the given extent, every element the same: [n, …] of stride 0.
    package func broadcast(_ count: Int) -> Tensor {
        with(shape: [count] + shape, strides: [0] + strides)
    }

    /// A new axis of extent 1.
    package func unsqueezed(axis: Int) -> Tensor {
        var shape = shape
        var strides = strides
        shape.insert(1, at: axis)
        strides.insert(axis < strides.count ? strides[axis] * self.shape[axis] : 1, at: axis)
        return with(shape: shape, strides: strides)
    }

    private func with(shape: [Int], strides: [Int], offset: Int? = nil) -> Tensor {
        Tensor(
            storage: storage, offset: offset ?? self.offset, dtype: dtype, shape: shape,
            strides: strides)
    }
}

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
