extension RPFMConfiguration: Decodable {
    private enum CodingKeys: String, CodingKey {
        case latentSize = "sample_size"
        case patchSize = "patch_size"
        case channels = "in_channels"
        case hiddenSize = "hidden_size"
        case depth
        case heads = "num_heads"
        case mlpRatio = "mlp_ratio"
        case sourceEncoderSize = "source_encoder_dim"
        case poseEncoderSize = "pose_encoder_dim"
        case referenceAttention = "reference_attention"
        case inputConcatenation = "input_concatenation"
        case conditionalAggregation = "conditional_aggregation"
    }

    /// Reads the keys of the specification; sizes must be given, switches have its defaults.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        latentSize = try values.decode(LatentSize.self, forKey: .latentSize)
        patchSize = try values.decodeIfPresent(Int.self, forKey: .patchSize) ?? 2
        channels = try values.decodeIfPresent(Int.self, forKey: .channels) ?? 4
        hiddenSize = try values.decode(Int.self, forKey: .hiddenSize)
        depth = try values.decode(Int.self, forKey: .depth)
        heads = try values.decode(Int.self, forKey: .heads)
        mlpRatio = try values.decodeIfPresent(Double.self, forKey: .mlpRatio) ?? 4
        sourceEncoderSize = try values.decode(Int.self, forKey: .sourceEncoderSize)
        poseEncoderSize = try values.decode(Int.self, forKey: .poseEncoderSize)
        func flag(_ key: CodingKeys, _ otherwise: Bool) throws -> Bool {
            try values.decodeIfPresent(Bool.self, forKey: key) ?? otherwise
        }
        referenceAttention = try flag(.referenceAttention, false)
        inputConcatenation = try flag(.inputConcatenation, true)
        conditionalAggregation = try flag(.conditionalAggregation, true)
    }
}

extension RPFMConfiguration.LatentSize: Decodable {
    /// One number for a square, or [height, width].
    package init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if let side = try? single.decode(Int.self) {
            self.init(height: side, width: side)
            return
        }
        let sides = try single.decode([Int].self)
        guard sides.count == 2 else {
            throw DecodingError.dataCorruptedError(
                in: single,
                debugDescription: "a side or [height, width] expected, got \(sides.count) numbers")
        }
        self.init(height: sides[0], width: sides[1])
    }
}

extension RPFMConfiguration {
    /// The first thing that makes these numbers impossible, or nil.
    package var problem: String? {
        let counts = [
            ("patch_size", patchSize, 16), ("in_channels", channels, 64),
            ("hidden_size", hiddenSize, 16_384), ("depth", depth, 256),
            ("num_heads", heads, 1024), ("source_encoder_dim", sourceEncoderSize, 16_384),
            ("pose_encoder_dim", poseEncoderSize, 16_384),
            ("sample_size", latentSize.height, 1024), ("sample_size", latentSize.width, 1024),
        ]
        for (key, value, most) in counts where value < 1 || value > most {
            return "\(key) is \(value), expected 1…\(most)"
        }
        if !(mlpRatio > 0 && mlpRatio <= 64) { return "mlp_ratio is \(mlpRatio), expected 0…64" }
        if hiddenSize % heads != 0 {
            return "hidden_size \(hiddenSize) is no multiple of num_heads \(heads)"
        }
        if hiddenSize % 4 != 0 { return "hidden_size \(hiddenSize) is no multiple of 4" }
        if latentSize.height % patchSize != 0 || latentSize.width % patchSize != 0 {
            return "sample_size \(latentSize.height)×\(latentSize.width) is no multiple of "
                + "patch_size \(patchSize)"
        }
        return nil
    }
}
