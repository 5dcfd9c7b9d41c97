import CPosedBackend

/// The nonlinearities of these models.
package enum Activation: Sendable {
    case none
    case relu
    /// x · sigmoid(x)
    case silu
    /// The tanh approximation of GELU.
    case geluTanh
    /// The exact GELU.
    case gelu
    case tanh

    var native: UInt32 {
        switch self {
        case .none: POSED_ACT_NONE.rawValue
        case .relu: POSED_ACT_RELU.rawValue
        case .silu: POSED_ACT_SILU.rawValue
        case .geluTanh: POSED_ACT_GELU_TANH.rawValue
        case .gelu: POSED_ACT_GELU_ERF.rawValue
        case .tanh: POSED_ACT_TANH.rawValue
        }
    }
}
