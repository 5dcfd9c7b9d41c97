import CPosedBackend
package import PosedBackend

/// A tensor in a buffer of its own on the device under test, surrounded by bytes that nobody may read
/// or change.
struct DeviceTensor {
    /// The byte that fills what is not data: NaN in every float type.
    static let filler: UInt8 = 0xff
    /// Bytes of filler behind the view's last element.
    static let guardBytes = 64

    let buffer: OpaquePointer
    let layout: Layout
    let type: DType

    /// The size of the buffer.
    var bytes: Int { layout.span * type.size + Self.guardBytes }

    /// The view as operations take it.
    var view: posed_tensor { view(layout) }

    /// Another view of the same buffer.
    func view(_ layout: Layout) -> posed_tensor {
        var tensor = posed_tensor()
        tensor.buffer = buffer
        tensor.offset_bytes = UInt64(layout.offset * type.size)
        tensor.dtype = type.rawValue
        tensor.rank = UInt32(layout.shape.count)
        for (axis, extent) in layout.shape.enumerated() {
            set(&tensor.shape, axis, Int64(extent))
            set(&tensor.stride, axis, Int64(layout.strides[axis]))
        }
        return tensor
    }
}

/// A weight on the device under test.
struct DeviceWeight {
    let handle: OpaquePointer
    /// The type of the product's operands.
    let compute: DType
}

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

/// What the reference needs of a type of elements: its values, rounding and tolerance.
extension DType {
    /// The types that products, norms and activations are defined for.
    package static let floats: [DType] = [.f32, .bf16, .f16]

    /// How far a result may be from the reference when this is the coarsest type on its way.
    package var tolerance: Double {
        switch self {
        case .f32: 1e-5
        case .f16: 2e-3
        case .bf16: 1e-2
        case .u8: 0
        case .i8: 3e-2
        }
    }

    /// The type of the tensors around a product computed in this one, beside float32.
    package var carrier: DType { self == .i8 ? .bf16 : self }

    /// `value` as this type holds it: rounded to nearest, ties to even.
    package func round(_ value: Float) -> Float {
        switch self {
        case .f32: value
        case .f16: Float(Float16(value))
        case .bf16: Float(bitPattern: UInt32(Self.bfloat(value)) << 16)
        case .u8: value.rounded(.toNearestOrEven)
        case .i8: value  // rounded row by row, which an element does not know of
        }
    }

    /// Writes `value` as element `index` of `memory`.
    package func store(_ value: Float, in memory: UnsafeMutableRawPointer, at index: Int) {
        switch self {
        case .f32: memory.storeBytes(of: value, toByteOffset: index * 4, as: Float.self)
        case .f16: memory.storeBytes(of: Float16(value), toByteOffset: index * 2, as: Float16.self)
        case .bf16:
            memory.storeBytes(of: Self.bfloat(value), toByteOffset: index * 2, as: UInt16.self)
        case .u8: memory.storeBytes(of: UInt8(value), toByteOffset: index, as: UInt8.self)
        case .i8: preconditionFailure("a tensor of i8")
        }
    }

    /// Element `index` of `memory`.
    package func load(_ memory: UnsafeRawPointer, at index: Int) -> Float {
        switch self {
        case .f32: memory.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
        case .f16: Float(memory.loadUnaligned(fromByteOffset: index * 2, as: Float16.self))
        case .bf16:
            Float(
                bitPattern: UInt32(
                    memory.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)) << 16)
        case .u8: Float(memory.load(fromByteOffset: index, as: UInt8.self))
        case .i8: preconditionFailure("a tensor of i8")
        }
    }

    private static func bfloat(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(bits >> 16) | 0x40 }
        return UInt16((bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
    }
}

/// Reproducible test data: equal seeds give equal numbers on every machine.
struct Noise {
    private var state: UInt64

    /// A source of numbers that depends on `name` alone.
    init(_ name: String) {
        state = name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    private mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// `count` numbers of a bell-shaped distribution with the given mean and standard deviation,
    /// rounded to `type`.
    mutating func normal(
        _ count: Int, _ type: DType = .f32, mean: Float = 0, deviation: Float = 1
    ) -> [Float] {
        (0..<count).map { _ in
            let bits = next()
            // The sum of four uniform numbers: variance 4/12 in units of 2^16.
            let sum = (0..<4).reduce(Float(0)) { $0 + Float((bits >> (16 * UInt64($1))) & 0xffff) }
            let unit = (sum / 65536 - 2) * 1.732_050_8
            return type.round(mean + deviation * unit)
        }
    }
}
