import CPosedBackend

/// The types of elements as the plugin interface knows them, with their exact conversions.
package enum ElementType: UInt32, CaseIterable, Sendable, CustomStringConvertible {
    case f32 = 1
    case f16 = 2
    case bf16 = 3
    case u8 = 4
    /// Of products of `linear` alone: no tensor has it.
    case i8 = 5

    /// The types that products, norms and activations are defined for.
    package static let floats: [ElementType] = [.f32, .bf16, .f16]

    /// The name as in `f32`.
    package var description: String {
        switch self {
        case .f32: "f32"
        case .f16: "f16"
        case .bf16: "bf16"
        case .u8: "u8"
        case .i8: "i8"
        }
    }

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .u8, .i8: 1
        }
    }

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
    package var carrier: ElementType { self == .i8 ? .bf16 : self }

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
