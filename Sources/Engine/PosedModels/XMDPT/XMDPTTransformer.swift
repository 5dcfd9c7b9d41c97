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

    package var byteCount: Int {
        blocks.reduce(0) { $0 + $1.byteCount } + allModulations.byteCount
            + inputEmbedder.byteCount + finalLinear.byteCount + mixer.byteCount + base.byteCount
            + decoderPositions.byteCount
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
