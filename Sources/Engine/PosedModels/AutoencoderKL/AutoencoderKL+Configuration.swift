extension AutoencoderKL {
    /// The shape of an AutoencoderKL, as its `config.json` gives it.
    package struct Configuration: Sendable, Equatable {
        /// Channels of a picture, and of a decoded one.
        package var inChannels = 3
        package var outChannels = 3
        /// Channels at each resolution, the finest first.
        package var blockOutChannels = [128, 256, 512, 512]
        /// Residual blocks at each resolution of the encoder; the decoder has one more.
        package var layersPerBlock = 2
        package var latentChannels = 4
        package var normGroups = 32
        package var midBlockAttention = true
        /// Whether a product follows the encoder, and whether one precedes the decoder.
        package var quantConv = true
        package var postQuantConv = true
        /// Latents of the flow are (mean − shift) · scaling.
        package var scalingFactor = 0.18215
        package var shiftFactor = 0.0
        /// Whether it overflows in float16.
        package var forceUpcast = false

        /// Stable Diffusion's autoencoder.
        package init() {}

        /// Reads `config.json`; missing keys take the defaults of diffusers.
        ///
        /// - Throws: `ModelError` that names the file and the key.
        package init(_ file: ConfigurationFile) throws(ModelError) {
            inChannels = try file.integer("in_channels", default: 3, in: 1...64)
            outChannels = try file.integer("out_channels", default: 3, in: 1...64)
            blockOutChannels = try file.integers(
                "block_out_channels", default: [64], in: 1...8192)
            layersPerBlock = try file.integer("layers_per_block", default: 1, in: 1...64)
            latentChannels = try file.integer("latent_channels", default: 4, in: 1...256)
            normGroups = try file.integer("norm_num_groups", default: 32, in: 1...8192)
            midBlockAttention = try file.bool("mid_block_add_attention", default: true)
            quantConv = try file.bool("use_quant_conv", default: true)
            postQuantConv = try file.bool("use_post_quant_conv", default: true)
            scalingFactor = try file.number("scaling_factor", default: 0.18215, in: 1e-6...1e6)
            shiftFactor = try file.number("shift_factor", default: 0, in: -1e6...1e6)
            forceUpcast = try file.bool("force_upcast", default: false)
            try Self.checkBlocks("down_block_types", "DownEncoderBlock2D", file, blockOutChannels)
            try Self.checkBlocks("up_block_types", "UpDecoderBlock2D", file, blockOutChannels)
            guard blockOutChannels.allSatisfy({ $0.isMultiple(of: normGroups) }) else {
                throw file.refusal(
                    .mismatch, "block_out_channels",
                    "must be multiples of \"norm_num_groups\" (\(normGroups))")
            }
            guard ["silu", "swish"].contains(try file.string("act_fn", default: "silu")) else {
                throw file.refusal(.unsupported, "act_fn", "must be silu")
            }
            try file.absent("latents_mean")
            try file.absent("latents_std")
        }

        private static func checkBlocks(
            _ key: String, _ kind: String, _ file: ConfigurationFile, _ channels: [Int]
        ) throws(ModelError) {
            let kinds = try file.strings(key, default: [kind])
            guard kinds.allSatisfy({ $0 == kind }) else {
                throw file.refusal(.unsupported, key, "must hold \(kind) alone")
            }
            guard kinds.count == channels.count else {
                throw file.refusal(
                    .mismatch, key,
                    "must be as long as \"block_out_channels\" (\(channels.count))")
            }
        }
    }
}
