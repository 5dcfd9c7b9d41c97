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
