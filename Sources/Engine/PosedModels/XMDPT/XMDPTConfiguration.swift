/// `transformer/config.json` of an X-MDPT model.
package struct XMDPTConfiguration: Sendable, Equatable {
    /// Side of the only latent that it computes, in latent pixels.
    package var latentSide = 32
    /// Side of a patch, in latent pixels.
    package var patchSize = 2
    /// Channels of a latent.
    package var channels = 4
    /// Width of a token.
    package var hiddenSize: Int
    package var depth: Int
    package var heads: Int
    package var mlpRatio = 4.0
    /// The last blocks, before which the second position embeddings are added.
    package var decoderLayers = 2
    /// Features and tokens of the source's and the pose's image encoders, the class token included.
    package var sourceEncoderSize = 1536
    package var sourceEncoderTokens = 257
    package var poseEncoderSize = 768
    package var poseEncoderTokens = 257
    /// The schedule of noise that it was trained with: β from start to end in so many steps.
    package var betaStart = 1e-4
    package var betaEnd = 2e-2
    package var trainTimesteps = 1000

    /// The class of the model in `config.json` and `model_index.json`.
    package static let className = "XMDPTTransformer2DModel"

    /// The published sizes.
    package enum Preset: String, CaseIterable, Sendable {
        case s = "S"
        case b = "B"
        case l = "L"

        /// The configuration of that size.
        package var configuration: XMDPTConfiguration {
            switch self {
            case .s: XMDPTConfiguration(hiddenSize: 384, depth: 12, heads: 6)
            case .b: XMDPTConfiguration(hiddenSize: 768, depth: 12, heads: 12)
            case .l: XMDPTConfiguration(hiddenSize: 1024, depth: 24, heads: 16)
            }
        }
    }

    /// A model of a width, depth and number of heads, in all else as published.
    package init(hiddenSize: Int, depth: Int, heads: Int) {
        self.hiddenSize = hiddenSize
        self.depth = depth
        self.heads = heads
    }

    /// Reads `transformer/config.json`: width, depth and heads must be given; the rest is as published
    /// where the file is silent.
    ///
    /// - Throws: `ModelError` for another class of model, or for a number that cannot be.
    package init(_ file: ConfigurationFile) throws(ModelError) {
        let name = try file.string("_class_name")
        guard name == Self.className else {
            throw file.refusal(.unsupported, "_class_name", "must be \(Self.className)")
        }
        hiddenSize = try file.integer("hidden_size", in: 4...16_384)
        depth = try file.integer("depth", in: 1...256)
        heads = try file.integer("num_heads", in: 1...1024)
        latentSide = try file.integer("sample_size", default: 32, in: 1...64)
        patchSize = try file.integer("patch_size", default: 2, in: 1...16)
        channels = try file.integer("in_channels", default: 4, in: 1...64)
        mlpRatio = try file.number("mlp_ratio", default: 4, in: 0.01...64)
        decoderLayers = try file.integer("decoder_layers", default: 2, in: 1...256)
        sourceEncoderSize = try file.integer("source_encoder_dim", default: 1536, in: 1...16_384)
        sourceEncoderTokens = try file.integer(
            "source_encoder_tokens", default: 257, in: 1...16_384)
        poseEncoderSize = try file.integer("pose_encoder_dim", default: 768, in: 1...16_384)
        poseEncoderTokens = try file.integer("pose_encoder_tokens", default: 257, in: 1...16_384)
        guard try file.string("prediction", default: "epsilon") == "epsilon" else {
            throw file.refusal(.unsupported, "prediction", "must be epsilon")
        }
        betaStart = try file.number("beta_start", default: 1e-4, in: 1e-9...0.5)
        betaEnd = try file.number("beta_end", default: 2e-2, in: 1e-9...0.5)
        trainTimesteps = try file.integer("train_timesteps", default: 1000, in: 2...100_000)
        if let problem { throw ModelError(.mismatch, "\(file.path): \(problem)") }
    }

    /// The first thing that makes these numbers disagree, or nil.
    private var problem: String? {
        if hiddenSize % heads != 0 {
            return "hidden_size \(hiddenSize) is no multiple of num_heads \(heads)"
        }
        if latentSide % patchSize != 0 {
            return "sample_size \(latentSide) is no multiple of patch_size \(patchSize)"
        }
        if decoderLayers > depth {
            return "decoder_layers \(decoderLayers) is more than depth \(depth)"
        }
        return nil
    }

    /// Tokens along a side of the latent.
    package var gridSide: Int { latentSide / patchSize }

    /// Features of a patch: C · p · p.
    package var patchFeatures: Int { channels * patchSize * patchSize }

    /// Width of the MLPs' hidden layer.
    package var mlpSize: Int { Int(Double(hiddenSize) * mlpRatio) }

    /// What sampling, scheduling and sessions must know of the model.
    package var form: VelocityForm {
        var form = VelocityForm(
            latentSize: LatentSize(height: latentSide, width: latentSide), patchSize: patchSize,
            channels: channels, hiddenSize: hiddenSize, depth: depth,
            modulationSize: XMDPTTransformer.modulationSize(depth: depth, width: hiddenSize),
            sourceEncoderSize: sourceEncoderSize, poseEncoderSize: poseEncoderSize)
        form.isSizeFixed = true
        form.usesEverySource = false
        form.usesPoseLatent = false
        form.conditionsTokens = false
        form.start = DiffusionSchedule(self).start
        form.sourceBytes = hiddenSize * 4
        return form
    }
}
