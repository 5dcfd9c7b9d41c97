/// How a tensor lies in its buffer: shape, strides and offset, all in elements.
package struct Layout: Equatable, Sendable {
    /// The extent of each dimension.
    package var shape: [Int]
    /// The distance between neighbours along each dimension; 0 broadcasts.
    package var strides: [Int]
    /// Where element (0, 0, …) lies.
    package var offset = 0

    /// Row-major, without gaps.
    package static func dense(_ shape: [Int]) -> Layout {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in stride(from: shape.count - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * shape[axis + 1]
        }
        return Layout(shape: shape, strides: strides)
    }

    /// A view into a larger row-major array: `gap` spare elements after each innermost row, and
    /// `offset` before the first.
    package static func gapped(_ shape: [Int], gap: Int, offset: Int) -> Layout {
        var layout = Layout.dense(Array(shape.dropLast()) + [(shape.last ?? 1) + gap])
        layout.shape = shape
        layout.offset = offset
        return layout
    }

    /// A `[B, T, D]` view of all tokens but the first of a dense `[B, T + 1, D]`.
    package static func headless(_ shape: [Int]) -> Layout {
        var layout = Layout.dense([shape[0], shape[1] + 1, shape[2]])
        (layout.shape, layout.offset) = (shape, shape[2])
        return layout
    }

    /// Row-major in the dimension order `order`: `order[0]` is outermost in memory.
    package static func stored(_ shape: [Int], order: [Int]) -> Layout {
        let inner = Layout.dense(order.map { shape[$0] })
        var strides = shape
        for (position, axis) in order.enumerated() { strides[axis] = inner.strides[position] }
        return Layout(shape: shape, strides: strides)
    }

    /// The same layout with all entries along `axis` in one place.
    package func broadcast(along axis: Int) -> Layout {
        var layout = self
        layout.strides[axis] = 0
        return layout
    }

    /// The number of elements of the view.
    package var count: Int { shape.reduce(1, *) }

    /// The number of elements from the buffer's start to the view's last element.
    package var span: Int {
        zip(shape, strides).reduce(offset + 1) { $0 + ($1.0 - 1) * $1.1 }
    }

    /// The place in the buffer of every element, in row-major order of the view.
    package var places: [Int] {
        var places = [offset]
        for (extent, stride) in zip(shape, strides) {
            var next: [Int] = []
            next.reserveCapacity(places.count * extent)
            for place in places {
                for index in 0..<extent { next.append(place + index * stride) }
            }
            places = next
        }
        return places
    }
}
