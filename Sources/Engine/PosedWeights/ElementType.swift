/// The element types that a safetensors file may hold.
package enum ElementType: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    case f64 = "F64"
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case f8E4M3 = "F8_E4M3"
    case f8E5M2 = "F8_E5M2"
    case i64 = "I64"
    case i32 = "I32"
    case i16 = "I16"
    case i8 = "I8"
    case u64 = "U64"
    case u32 = "U32"
    case u16 = "U16"
    case u8 = "U8"
    case bool = "BOOL"

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .f64, .i64, .u64: 8
        case .f32, .i32, .u32: 4
        case .f16, .bf16, .i16, .u16: 2
        case .f8E4M3, .f8E5M2, .i8, .u8, .bool: 1
        }
    }

    /// Whether a model may use elements of this type as weights: F32, F16 and BF16.
    package var isWeight: Bool { self == .f32 || self == .f16 || self == .bf16 }

    /// The name a safetensors header uses, such as `BF16`.
    package var description: String { rawValue }
}
