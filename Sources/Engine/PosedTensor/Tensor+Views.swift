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
