package import PosedTensor

extension DINOv2 {
    /// The shape of a DINOv2, as its `config.json` gives it.
    package struct Configuration: Sendable {
        package var hiddenSize = 768
        package var layers = 12
        package var heads = 12
        /// Width of the MLP over `hiddenSize`, before SwiGLU takes two thirds of it.
        package var mlpRatio = 4.0
        package var activation = Activation.gelu
        package var eps: Float = 1e-6
        /// Side in pixels of the pictures that the position embeddings are for.
        package var imageSize = 518
        package var patchSize = 14
        package var channels = 3
        package var qkvBias = true
        package var usesSwiGLU = false
        /// Tokens besides the class and the patches; nil: a model of the class without them.
        package var registers: Int?

        /// DINOv2-B as published.
        package init() {}

        /// DINOv2-g as published.
        package static var giant: Configuration {
            var configuration = Configuration()
            configuration.hiddenSize = 1536
            configuration.layers = 40
            configuration.heads = 24
            configuration.usesSwiGLU = true
            return configuration
        }

        /// Reads `config.json`; missing keys take the defaults of transformers.
        ///
        /// - Throws: `ModelError` that names the file and the key.
        package init(_ file: ConfigurationFile) throws(ModelError) {
            let hasRegisters = try Self.hasRegisters(file)
            hiddenSize = try file.integer("hidden_size", default: 768, in: 4...16384)
            layers = try file.integer("num_hidden_layers", default: 12, in: 1...256)
            heads = try file.integer("num_attention_heads", default: 12, in: 1...1024)
            mlpRatio = try file.number("mlp_ratio", default: 4, in: 0.01...64)
            activation = try file.activation("hidden_act", default: "gelu")
            eps = Float(try file.number("layer_norm_eps", default: 1e-6, in: 0...1))
            imageSize = try file.side("image_size", default: 224, in: 1...16384)
            patchSize = try file.side(
                "patch_size", default: hasRegisters ? 16 : 14, in: 1...1024)
            channels = try file.integer("num_channels", default: 3, in: 1...64)
            qkvBias = try file.bool("qkv_bias", default: true)
            usesSwiGLU = try file.bool("use_swiglu_ffn", default: false)
            registers =
                hasRegisters
                ? try file.integer("num_register_tokens", default: 4, in: 0...1024) : nil
            guard hiddenSize.isMultiple(of: heads) else {
                throw file.refusal(
                    .mismatch, "hidden_size",
                    "must be a multiple of \"num_attention_heads\" (\(heads))")
            }
            guard imageSize >= patchSize else {
                throw file.refusal(
                    .mismatch, "image_size", "must be at least \"patch_size\" (\(patchSize))")
            }
        }

        /// Patches along a side of the pictures that the position embeddings are for.
        package var grid: Int { imageSize / patchSize }

        /// The width between the two products of an MLP.
        package var mlpWidth: Int {
            let width = Int(Double(hiddenSize) * mlpRatio)
            return usesSwiGLU ? (Int(Double(width) * 2 / 3) + 7) / 8 * 8 : width
        }

        private static func hasRegisters(_ file: ConfigurationFile) throws(ModelError) -> Bool {
            let fallback = try file.strings("architectures", default: []).first
            let name = try file.string("model_type", default: fallback ?? "")
            switch name {
            case "dinov2", "Dinov2Model": return false
            case "dinov2_with_registers", "Dinov2WithRegistersModel": return true
            default:
                throw file.refusal(
                    .unsupported, "model_type", "must be dinov2 or dinov2_with_registers")
            }
        }
    }
}
