package import PosedTensor

extension ConfigurationFile {
    /// A nonlinearity by the name that diffusers and transformers give it.
    ///
    /// - Throws: `ModelError` `.unsupported` for one that is not known here.
    package func activation(_ key: String, default fallback: String) throws(ModelError)
        -> Activation
    {
        switch try string(key, default: fallback) {
        case "relu": return .relu
        case "silu", "swish": return .silu
        case "gelu": return .gelu
        case "gelu_new", "gelu_pytorch_tanh": return .geluTanh
        default:
            throw refusal(.unsupported, key, "must be relu, silu, gelu or gelu_pytorch_tanh")
        }
    }
}
