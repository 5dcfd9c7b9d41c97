import ArgumentParser
import PosedBackend

/// A type to compute in, as `--dtype` names it.
enum Precision: String, CaseIterable, ExpressibleByArgument {
    case f32, bf16, f16, i8

    /// The device's type.
    var type: DType {
        switch self {
        case .f32: .f32
        case .bf16: .bf16
        case .f16: .f16
        case .i8: .i8
        }
    }
}
