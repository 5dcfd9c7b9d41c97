import PosedBackend
package import PosedNN
import PosedTensor

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

    /// Which position embeddings: of a latent's size, plain or with the input embedder's bias.
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

    /// Bytes of packed weights on the device.
    package var byteCount: Int {
        blocks.reduce(0) { $0 + $1.byteCount } + allModulations.byteCount
            + inputEmbedder.byteCount + finalLinear.byteCount
    }

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
