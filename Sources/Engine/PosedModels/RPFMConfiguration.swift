/// `transformer/config.json` of an RPFM model.
package struct RPFMConfiguration: Sendable, Equatable {
    /// Latent height and width, in latent pixels.
    package var latentSize: LatentSize
    /// Side of a patch, in latent pixels.
    package var patchSize: Int
    /// Channels of a latent.
    package var channels: Int
    /// Width of a token.
    package var hiddenSize: Int
    package var depth: Int
    package var heads: Int
    package var mlpRatio: Double
    /// Features of the source's and the pose's image encoders.
    package var sourceEncoderSize: Int
    package var poseEncoderSize: Int
    /// Whether blocks attend to the source's own tokens.
    package var referenceAttention: Bool
    /// Whether the latents of source and pose are concatenated to the input.
    package var inputConcatenation: Bool
    /// Whether source and pose are aggregated to a condition vector.
    package var conditionalAggregation: Bool
    /// Whether the positions of another size are scaled to those of `latentSize`.
    package var scalePositions = true

    /// The sizes of the specification's table; others load too.
    package enum Preset: String, CaseIterable, Sendable {
        case t = "T"
        case s = "S"
        case b = "B"
        case l = "L"

        /// The configuration of that size, for 256×256 pixels and encoders of 768 features.
        package var configuration: RPFMConfiguration {
            let (hidden, depth) =
                switch self {
                case .t: (256, 12)
                case .s: (384, 12)
                case .b: (768, 12)
                case .l: (1024, 24)
                }
            return RPFMConfiguration(
                latentSize: LatentSize(height: 32, width: 32), patchSize: 2, channels: 4,
                hiddenSize: hidden, depth: depth, heads: hidden / 64, mlpRatio: 4,
                sourceEncoderSize: 768, poseEncoderSize: 768, referenceAttention: false,
                inputConcatenation: true, conditionalAggregation: true)
        }
    }

    /// The grid of tokens that positions are scaled to; nil where they are not scaled.
    package var trainedGrid: (rows: Int, columns: Int)? {
        scalePositions ? (latentSize.height / patchSize, latentSize.width / patchSize) : nil
    }

    /// Features of a patch: C · p · p.
    package var patchFeatures: Int { channels * patchSize * patchSize }

    /// Width of the MLPs' hidden layer.
    package var mlpSize: Int { Int(Double(hiddenSize) * mlpRatio) }

    /// The sizes that sampling, scheduling and sessions use.
    package var form: VelocityForm {
        var form = VelocityForm(
            latentSize: latentSize, patchSize: patchSize, channels: channels,
            hiddenSize: hiddenSize, depth: depth,
            modulationSize: RPFMTransformer.modulationSize(depth: depth, width: hiddenSize),
            sourceEncoderSize: sourceEncoderSize, poseEncoderSize: poseEncoderSize)
        form.hasReference = referenceAttention
        form.bytesPerToken = hiddenSize * 4
        form.sourceBytes = 2 * hiddenSize * 4
        return form
    }
}

extension RPFMConfiguration {
    /// Reads `transformer/config.json`: sizes must be given; switches have the specification's defaults.
    ///
    /// - Throws: `ModelError` for another class of model, or for a number that cannot be.
    package init(_ file: ConfigurationFile) throws(ModelError) {
        let name = try file.string("_class_name", default: RPFMConfiguration.className)
        guard name == RPFMConfiguration.className else {
            throw ModelError(
                .unsupported,
                "\(file.path): \"_class_name\" must be \(RPFMConfiguration.className), "
                    + "but it is \(name)")
        }
        latentSize = try RPFMConfiguration.latentSize(file)
        patchSize = try file.integer("patch_size", default: 2, in: 1...16)
        channels = try file.integer("in_channels", default: 4, in: 1...64)
        hiddenSize = try file.integer("hidden_size", in: 4...16_384)
        depth = try file.integer("depth", in: 1...256)
        heads = try file.integer("num_heads", in: 1...1024)
        mlpRatio = try file.number("mlp_ratio", default: 4, in: 0.01...64)
        sourceEncoderSize = try file.integer("source_encoder_dim", in: 1...16_384)
        poseEncoderSize = try file.integer("pose_encoder_dim", in: 1...16_384)
        referenceAttention = try file.bool("reference_attention", default: false)
        inputConcatenation = try file.bool("input_concatenation", default: true)
        conditionalAggregation = try file.bool("conditional_aggregation", default: true)
        scalePositions = try file.bool("scale_positions", default: true)
        if let problem { throw ModelError(.mismatch, "\(file.path): \(problem)") }
    }

    /// The class of the model in `config.json` and `model_index.json`.
    package static let className = "RPFMTransformer2DModel"

    private static func latentSize(_ file: ConfigurationFile) throws(ModelError) -> LatentSize {
        let range = 1...1024
        guard file.isList("sample_size") else {
            let side = try file.integer("sample_size", in: range)
            return LatentSize(height: side, width: side)
        }
        let sides = try file.integers("sample_size", in: range)
        guard sides.count == 2 else {
            throw file.refusal(.malformed, "sample_size", "must be a side or [height, width]")
        }
        return LatentSize(height: sides[0], width: sides[1])
    }

    /// The first thing that makes these numbers disagree, or nil.
    private var problem: String? {
        if hiddenSize % heads != 0 {
            return "hidden_size \(hiddenSize) is no multiple of num_heads \(heads)"
        }
        if hiddenSize % 4 != 0 { return "hidden_size \(hiddenSize) is no multiple of 4" }
        if latentSize.height % patchSize != 0 || latentSize.width % patchSize != 0 {
            return "sample_size \(latentSize.height) × \(latentSize.width) is no multiple of "
                + "patch_size \(patchSize)"
        }
        return nil
    }
}
