package import PosedTensor

extension AutoencoderTiny {
    /// The shape of an AutoencoderTiny, as its `config.json` gives it.
    package struct Configuration: Sendable {
        /// Channels of a picture, and of a decoded one.
        package var inChannels = 3
        package var outChannels = 3
        package var latentChannels = 4
        /// Channels of every layer of the encoder, and of the decoder.
        package var encoderChannels = 64
        package var decoderChannels = 64
        /// Residual blocks at each resolution, in the order of the layers.
        package var encoderBlocks = [1, 3, 3, 3]
        package var decoderBlocks = [3, 3, 3, 1]
        package var activation = Activation.relu
        /// Latents of the flow are (latent − shift) · scaling.
        package var scalingFactor = 1.0
        package var shiftFactor = 0.0

        /// TAESD, the autoencoder for Stable Diffusion's latents.
        package init() {}

        /// Reads `config.json`; missing keys take the defaults of diffusers.
        ///
        /// - Throws: `ModelError` that names the file and the key.
        package init(_ file: ConfigurationFile) throws(ModelError) {
            inChannels = try file.integer("in_channels", default: 3, in: 1...64)
            outChannels = try file.integer("out_channels", default: 3, in: 1...64)
            latentChannels = try file.integer("latent_channels", default: 4, in: 1...256)
            encoderBlocks = try file.integers(
                "num_encoder_blocks", default: encoderBlocks, in: 0...64)
            decoderBlocks = try file.integers(
                "num_decoder_blocks", default: decoderBlocks, in: 0...64)
            encoderChannels = try Self.width(
                "encoder_block_out_channels", file, count: encoderBlocks.count)
            decoderChannels = try Self.width(
                "decoder_block_out_channels", file, count: decoderBlocks.count)
            guard encoderBlocks.count == decoderBlocks.count else {
                throw file.refusal(
                    .mismatch, "num_decoder_blocks",
                    "must be as long as \"num_encoder_blocks\" (\(encoderBlocks.count))")
            }
            activation = try file.activation("act_fn", default: "relu")
            scalingFactor = try file.number("scaling_factor", default: 1, in: 1e-6...1e6)
            shiftFactor = try file.number("shift_factor", default: 0, in: -1e6...1e6)
            guard try file.string("upsample_fn", default: "nearest") == "nearest" else {
                throw file.refusal(.unsupported, "upsample_fn", "must be nearest")
            }
            guard try file.integer("upsampling_scaling_factor", default: 2, in: 1...16) == 2 else {
                throw file.refusal(.unsupported, "upsampling_scaling_factor", "must be 2")
            }
        }

        /// The one width of all layers: no layer of this class changes it.
        private static func width(
            _ key: String, _ file: ConfigurationFile, count: Int
        ) throws(ModelError) -> Int {
            let widths = try file.integers(key, default: [64, 64, 64, 64], in: 1...8192)
            guard let width = widths.first, widths.count == count,
                widths.allSatisfy({ $0 == width })
            else { throw file.refusal(.unsupported, key, "must be one number \(count) times") }
            return width
        }
    }
}
