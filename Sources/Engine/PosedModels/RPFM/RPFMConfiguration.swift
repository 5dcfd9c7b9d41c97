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

    /// What sampling, scheduling and sessions must know of the model.
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
