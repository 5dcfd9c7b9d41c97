import Foundation
import PosedBackend
package import PosedNN
package import PosedTensor
package import PosedWeights

/// X-MDPT's masked diffusion transformer, as far as inference needs it.
///
/// A plain DiT on latents that are not conditioned: source and pose come in by one vector that is added to the
/// time's embedding. Attention has a learned bias by relative place, places are learned, and a second set of
/// them is added before the last blocks. What training alone uses is not loaded.
package final class XMDPTTransformer: AdaLNTransformer {
    package let configuration: XMDPTConfiguration
    package let form: VelocityForm
    let patchify: Patchify
    let inputEmbedder: Linear
    let timeEmbedder: TimeEmbedder
    let blocks: [AdaLNBlock]
    let allModulations: Linear
    let finalLinear: Linear
    let mixer: XMDPTConditionMixer
    /// Positions and the input embedder's bias, [N, D] float32.
    let base: Tensor
    /// The second positions, [N, D] float32.
    private let decoderPositions: Tensor
    /// The condition of the empty branch, [D] float32: zeros.
    let nothing: Tensor
    private let schedule: DiffusionSchedule

    /// Takes the model's tensors from a loader. `WeightReader.finish` says afterwards whether they fit.
    ///
    /// - Throws: `BackendError` when the device cannot hold them, or has no attention with a bias.
    package init(_ configuration: XMDPTConfiguration, _ loader: Loader) throws {
        self.configuration = configuration
        form = configuration.form
        schedule = DiffusionSchedule(configuration)
        let (width, depth) = (configuration.hiddenSize, configuration.depth)
        let (features, patch) = (configuration.patchFeatures, configuration.patchSize)
        let tokens = configuration.gridSide * configuration.gridSide
        let compute = loader.compute
        patchify = Patchify(size: patch, channels: configuration.channels)
        let filter = loader.values(
            "x_embedder.proj.weight", [width, configuration.channels, patch, patch])
        inputEmbedder = try loader.linear(in: features, out: width, bias: nil) { filter }
        let bias = loader.values("x_embedder.proj.bias", [width])
        let positions = loader.values("pos_embed", [1, tokens, width])
        base = try Self.table(
            zip(positions, positions.indices).map { $0 + bias[$1 % width] }, [tokens, width],
            loader)
        decoderPositions = try Self.table(
            loader.values("decoder_pos_embed", [1, tokens, width]), [tokens, width], loader)
        nothing = try compute.tensor(Array(repeating: 0, count: width), [width])
        timeEmbedder = try TimeEmbedder(loader.scoped("t_embedder"), features: width)
        mixer = try XMDPTConditionMixer(loader, configuration)
        blocks = try (0..<depth).map { index in
            let own = loader.scoped("blocks.\(index)")
            return try AdaLNBlock(
                own, width: width, heads: configuration.heads, mlpSize: configuration.mlpSize,
                attentionBias: try Self.attentionBias(own, configuration))
        }
        allModulations = try Self.modulationLayers(loader, depth: depth, width: width)
        finalLinear = try loader.exact.linear("final_layer.linear", in: width, out: features)
    }

    /// Loads a transformer from a reader.
    ///
    /// - Throws: `WeightsError` for the tensors, `BackendError` when the device has no room or no
    ///   attention with a bias.
    package static func load(
        _ configuration: XMDPTConfiguration, _ reader: WeightReader, on compute: Compute
    ) throws -> VelocityModels.Loaded {
        let model = try XMDPTTransformer(configuration, Loader(reader, on: compute))
        let report = try reader.finish()
        try compute.synchronize()
        return (model, report)
    }

    package func link(at time: Double) -> VelocityLink { schedule.link(at: time) }

    package func noiseScale(at time: Double) -> Double { schedule.length(at: time) }

    /// The head's error is multiplied by up to 1/τ, so the head computes in float32.
    var headType: DType? { .f32 }

    func networkTime(_ time: Double) -> Double { schedule.step(at: time) / 1000 }

    func prepare(_ x: Tensor, before block: Int, on compute: Compute) throws {
        guard block == configuration.depth - configuration.decoderLayers else { return }
        let more = try compute.scratch(x.shape, .f32)
        try compute.copy(decoderPositions.broadcast(x.shape[0]), to: more)
        try compute.combine([(1, x), (1, more)], into: x)
    }

    /// A tensor of values that the host made of the file's; one element when the model will be refused.
    private static func table(
        _ values: @autoclosure () -> [Float], _ shape: [Int], _ loader: Loader
    ) throws -> Tensor {
        if loader.reader.hasProblems { return try loader.compute.persistent([1], .f32) }
        return try loader.compute.tensor(values(), shape)
    }

    /// A block's bias for every head, query and key, [heads, N, N] float32.
    ///
    /// The file has a number for each head and each relative place (rows · (2·side − 1) + columns, both counted
    /// from −(side − 1)), and three numbers more that nothing reads.
    private static func attentionBias(
        _ loader: Loader, _ configuration: XMDPTConfiguration
    ) throws -> Tensor {
        let (side, heads) = (configuration.gridSide, configuration.heads)
        let span = 2 * side - 1
        let numbers = loader.values(
            "attn.rel_pos_bias.relative_position_bias_table", [span * span + 3, heads])
        let tokens = side * side
        func gathered() -> [Float] {
            var bias = [Float](repeating: 0, count: heads * tokens * tokens)
            for query in 0..<tokens {
                for key in 0..<tokens {
                    let rows = query / side - key / side + side - 1
                    let columns = query % side - key % side + side - 1
                    for head in 0..<heads {
                        bias[(head * tokens + query) * tokens + key] =
                            numbers[(rows * span + columns) * heads + head]
                    }
                }
            }
            return bias
        }
        return try table(gathered(), [heads, tokens, tokens], loader)
    }
}

/// The noise schedule of a DDPM with linear betas, seen as a flow.
///
/// The diffusion's states are x = √ᾱ·data + √(1 − ᾱ)·noise, so σ = √((1 − ᾱ)/ᾱ) is the noise over the data.
/// The flow's states are z = τ·data + (1 − τ)·noise, so τ = 1/(1 + σ), and with r = √(τ² + (1 − τ)²)
/// x = z/r. The network answers with the noise ε; the flow's velocity is data − noise = (z − ε)/τ.
/// An Euler step of the flow is a step of DDIM.
struct DiffusionSchedule: Sendable {
    /// ln σ of every whole step of the diffusion, increasing.
    private let logSigmas: [Double]

    init(_ configuration: XMDPTConfiguration) {
        let last = Double(configuration.trainTimesteps - 1)
        var product = 1.0
        logSigmas = (0..<configuration.trainTimesteps).map { step in
            let share = Double(step) / last
            product *= 1 - (configuration.betaStart * (1 - share) + configuration.betaEnd * share)
            return 0.5 * log((1 - product) / product)
        }
    }

    /// The time of the flow at the diffusion's last step, which is almost noise.
    var start: Double { time(ofStep: logSigmas.count - 1) }

    /// The time of the flow at a whole step of the diffusion.
    func time(ofStep step: Int) -> Double { 1 / (1 + exp(logSigmas[step])) }

    /// The step of the diffusion at a time of the flow, with fractions: linear in ln σ between whole
    /// steps, held at the ends.
    func step(at time: Double) -> Double {
        let logSigma = time < 1 ? log((1 - time) / time) : -.infinity
        guard logSigma > logSigmas[0] else { return 0 }
        // The first whole step with at least as much noise.
        var (low, high) = (0, logSigmas.count)
        while low < high {
            let middle = (low + high) / 2
            if logSigmas[middle] < logSigma { low = middle + 1 } else { high = middle }
        }
        guard low < logSigmas.count else { return Double(logSigmas.count - 1) }
        let (below, above) = (logSigmas[low - 1], logSigmas[low])
        return Double(low - 1) + (logSigma - below) / (above - below)
    }

    /// r of the description above: how long the flow's state is where the diffusion's has length 1.
    func length(at time: Double) -> Double { (time * time + (1 - time) * (1 - time)).squareRoot() }

    /// The network sees z/r, and the velocity is (z − ε)/τ.
    func link(at time: Double) -> VelocityLink {
        VelocityLink(input: 1 / length(at: time), state: 1 / time, output: -1 / time)
    }
}

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

    /// The sizes that sampling, scheduling and sessions use.
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
