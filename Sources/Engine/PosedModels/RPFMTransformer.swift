import PosedBackend
package import PosedNN
package import PosedTensor
package import PosedWeights

/// RPFM's flow-matching transformer.
package final class RPFMTransformer: AdaLNTransformer {
    package let configuration: RPFMConfiguration
    let patchify: Patchify
    let inputEmbedder: Linear
    let sourceEmbedder: Linear?
    let poseEmbedder: Linear?
    let referenceEmbedder: Linear?
    let timeEmbedder: TimeEmbedder
    let aggregation: ConditionalAggregation?
    let nullCondition: Tensor  // [D] float32
    let blocks: [AdaLNBlock]
    let allModulations: Linear
    let finalLinear: Linear
    /// The input embedder's bias, on the host: it is added to the positions.
    private let inputBias: [Float]
    private let positions = WeakCache<Positions, Storage>()

    /// The key of position embeddings: a latent's size, with or without the input embedder's bias.
    private struct Positions: Hashable {
        let size: LatentSize
        let isBiased: Bool
    }

    /// Takes the model's tensors from a loader. `WeightReader.finish` says afterwards whether they fit.
    ///
    /// - Throws: `BackendError` when the device cannot hold them.
    package init(_ configuration: RPFMConfiguration, _ loader: Loader) throws {
        self.configuration = configuration
        let width = configuration.hiddenSize
        let features = configuration.patchFeatures
        patchify = Patchify(size: configuration.patchSize, channels: configuration.channels)

        let parts = configuration.inputConcatenation ? 3 : 1
        let embedder = InputEmbedder(loader, features: features, parts: parts, width: width)
        inputEmbedder = try embedder.part(0, on: loader.compute)
        sourceEmbedder = parts > 1 ? try embedder.part(1, on: loader.compute) : nil
        poseEmbedder = parts > 1 ? try embedder.part(2, on: loader.compute) : nil
        inputBias = embedder.bias

        timeEmbedder = try TimeEmbedder(loader.scoped("t_embedder"), features: width)
        let condition = loader.scoped("condition")
        nullCondition = try condition.parameter("null_condition", [width])
        aggregation =
            configuration.conditionalAggregation
            ? try ConditionalAggregation(condition, configuration) : nil
        referenceEmbedder =
            configuration.referenceAttention
            ? try loader.linear("ref_embedder", in: features, out: width) : nil
        blocks = try (0..<configuration.depth).map {
            try AdaLNBlock(
                loader.scoped("blocks.\($0)"), width: width, heads: configuration.heads,
                mlpSize: configuration.mlpSize)
        }
        allModulations = try Self.modulationLayers(
            loader, depth: configuration.depth, width: width)
        finalLinear = try loader.linear("final_layer.linear", in: width, out: features)
    }

    package var form: VelocityForm { configuration.form }

    package func link(at time: Double) -> VelocityLink { .direct }

    package func noiseScale(at time: Double) -> Double { 1 }

    var headType: DType? { nil }

    func networkTime(_ time: Double) -> Double { time }

    func prepare(_ x: Tensor, before block: Int, on compute: Compute) {}

    /// The position embeddings of a latent size, [N, D] float32, made once for as long as somebody uses
    /// them.
    ///
    /// - Parameter biased: Whether the input embedder's bias is added.
    func positions(
        _ size: LatentSize, biased: Bool, on compute: Compute
    ) throws -> Tensor {
        let patch = configuration.patchSize
        let (rows, columns) = (size.height / patch, size.width / patch)
        let width = configuration.hiddenSize
        let shape = [rows * columns, width]
        let storage = try positions.value(Positions(size: size, isBiased: biased)) {
            var values = SinusoidalEmbeddings.positions(
                rows: rows, columns: columns, features: width, trained: configuration.trainedGrid)
            if biased {
                for index in values.indices { values[index] += inputBias[index % width] }
            }
            let tensor = try compute.tensor(values, shape)
            try compute.synchronize()  // other streams may use it next
            return tensor.storage
        }
        return Tensor(storage: storage, dtype: .f32, shape: shape)
    }
}

/// `x_embedder` taken apart by what its columns multiply: z_t, z_s and z_p.
///
/// The product with the concatenation is the sum of the products with its parts, and only the first
/// changes from step to step.
private struct InputEmbedder {
    let bias: [Float]
    private let weight: [Float]
    private let features: Int
    private let columns: Int
    private let width: Int

    init(_ loader: Loader, features: Int, parts: Int, width: Int) {
        self.features = features
        self.width = width
        columns = parts * features
        weight = loader.values("x_embedder.weight", [width, columns])
        bias = loader.values("x_embedder.bias", [width])
    }

    /// The columns of one part, as a layer without bias.
    func part(_ index: Int, on compute: Compute) throws -> Linear {
        if weight.isEmpty {
            return try Linear.placeholder(on: compute)
        }
        var slice: [Float] = []
        slice.reserveCapacity(width * features)
        for row in 0..<width {
            let start = row * columns + index * features
            slice += weight[start..<start + features]
        }
        return try Linear(HostMatrix(slice), bias: nil, in: features, out: width, on: compute)
    }
}

extension RPFMTransformer {
    /// Loads a transformer's folder.
    ///
    /// - Throws: `ModelError` for the configuration, `WeightsError` for the files, `BackendError` when
    ///   the device has no room.
    package static func load(
        folder: String, on compute: Compute
    ) throws -> (model: RPFMTransformer, report: LoadReport) {
        let configuration = try RPFMConfiguration(ConfigurationFile(folder: folder))
        let reader = WeightReader(
            try WeightStore(folder: folder, base: "diffusion_pytorch_model"))
        return try load(configuration, reader, on: compute)
    }

    /// Loads a transformer from a reader.
    ///
    /// - Throws: `WeightsError` for the tensors, `BackendError` when the device has no room.
    package static func load(
        _ configuration: RPFMConfiguration, _ reader: WeightReader, on compute: Compute
    ) throws -> (model: RPFMTransformer, report: LoadReport) {
        let model = try RPFMTransformer(configuration, Loader(reader, on: compute))
        let report = try reader.finish()
        try compute.synchronize()
        return (model, report)
    }
}

/// The inputs of RPFM's transformer that depend on the source alone.
private struct SourceContent: ConditionContent {
    /// The aggregation's source half, [2, D] float32; nil without aggregation.
    let aggregated: Tensor?
    /// Positions, the input's bias and the source's part of the input embedding, [N, D] float32.
    let base: Tensor
    /// Keys and values of the reference stream, [depth, 2, tokens, D]; nil without.
    let reference: Tensor?

    var byteCount: Int {
        base.byteCount + (aggregated?.byteCount ?? 0) + (reference?.byteCount ?? 0)
    }
}

/// The inputs of RPFM's transformer that depend on the pose alone.
private struct PoseContent: ConditionContent {
    /// The aggregation's pose half, [2, D] float32; nil without aggregation.
    let aggregated: Tensor?
    /// The pose's part of the input embedding, [N, D] float32; nil without concatenation.
    let embedded: Tensor?

    var byteCount: Int { (aggregated?.byteCount ?? 0) + (embedded?.byteCount ?? 0) }
}

extension RPFMTransformer {
    /// Computes what depends on the sources alone; the first latent is concatenated to the input.
    package func source(latents: Tensor, embeddings: Tensor, on compute: Compute) throws
        -> SourceCondition
    {
        let size = LatentSize(height: latents.shape[1], width: latents.shape[2])
        let biased = try positions(size, biased: true, on: compute)
        let tokens = try patchify(latents, on: compute)  // [S, N, F]
        var base = biased
        if let sourceEmbedder {
            base = try compute.persistent(biased.shape, .f32)
            try sourceEmbedder(
                tokens.sliced(axis: 0, 0..<1), on: compute,
                residual: biased.unsqueezed(axis: 0), into: base.unsqueezed(axis: 0))
        }
        let joined = tokens.reshaped([1, tokens.shape[0] * tokens.shape[1], tokens.shape[2]])
        let seen = embeddings.reshaped(
            [1, embeddings.shape[0] * embeddings.shape[1], embeddings.shape[2]])
        let content = SourceContent(
            aggregated: try aggregation?.source(local: joined, global: seen, on: compute),
            base: base, reference: try reference(tokens, size, on: compute))
        return SourceCondition(latentSize: size, content: content)
    }

    package func pose(latent: Tensor?, embedding: Tensor, on compute: Compute) throws
        -> PoseCondition
    {
        guard let latent else {
            throw ModelError(.mismatch, "the pose picture's latent expected, but none came")
        }
        let tokens = try patchify(latent, on: compute)  // [1, N, F]
        var embedded: Tensor?
        if let poseEmbedder {
            let rows = try compute.persistent([1, tokens.shape[1], configuration.hiddenSize], .f32)
            try poseEmbedder(tokens, on: compute, into: rows)
            embedded = rows.reshaped([tokens.shape[1], configuration.hiddenSize])
        }
        return PoseCondition(
            content: PoseContent(
                aggregated: try aggregation?.pose(local: tokens, global: embedding, on: compute),
                embedded: embedded))
    }

    package func condition(
        _ source: SourceCondition, _ pose: PoseCondition, vector: Tensor?, on compute: Compute
    ) throws -> RowCondition {
        let (ours, theirs) = (
            try SourceContent.own(source.content), try PoseContent.own(pose.content)
        )
        var base = ours.base
        if let embedded = theirs.embedded {
            base = try compute.persistent(ours.base.shape, .f32)
            try compute.combine([(1, ours.base), (1, embedded)], into: base)
        }
        var condition = vector ?? nullCondition
        if vector == nil, let aggregation, let half = ours.aggregated,
            let other = theirs.aggregated
        {
            condition = try aggregation(source: half, pose: other, on: compute)
        }
        return RowCondition(
            latentSize: source.latentSize, vector: condition, base: base,
            reference: ours.reference)
    }

    /// The condition of guidance's empty branch: no source, no pose, no reference.
    package func emptyCondition(_ size: LatentSize, on compute: Compute) throws
        -> RowCondition
    {
        RowCondition(
            latentSize: size, vector: nullCondition,
            base: try positions(size, biased: true, on: compute), reference: nil)
    }

    /// Runs the reference stream of each source by itself and keeps its keys and values:
    /// [depth, 2, S · N, D].
    private func reference(
        _ tokens: Tensor, _ size: LatentSize, on compute: Compute
    ) throws -> Tensor? {
        guard let referenceEmbedder else { return nil }
        let positions = try positions(size, biased: false, on: compute)
        let width = configuration.hiddenSize
        let (sources, count) = (tokens.shape[0], tokens.shape[1])
        let kept = try compute.persistent(
            [configuration.depth, 2, sources * count, width], compute.precision)
        let modulation = try modulations(times: [1], of: [nullCondition], on: compute)
        let shared = Tensor(
            storage: modulation.storage, offset: modulation.offset, dtype: .f32,
            shape: [sources, form.modulationSize], strides: [0, 1])
        let x = try referenceEmbedder(
            tokens, on: compute,
            residual: positions.broadcast(sources), type: .f32)  // [S, N, D]
        for (index, block) in blocks.enumerated() {
            let qkv = try block(
                x, modulation: blockModulation(index, of: shared), on: compute)  // [S, N, 3·D]
            let ours = kept[index].splitting(axis: 1, inner: count)  // [2, S, N, D]
            for part in 0..<2 {
                let range = (part + 1) * width..<(part + 2) * width
                try compute.copy(qkv.sliced(axis: 2, range), to: ours[part])
            }
        }
        return kept
    }
}
