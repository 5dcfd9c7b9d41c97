import PosedBackend
import PosedNN
import PosedTensor
import PosedWeights

/// Four streams of tokens to one vector: the source and the pose, each seen locally (latent patches) and
/// globally (image encoder).
///
/// Queries are learned, so that what a stream contributes depends on that stream alone: the source's
/// half is computed once per source, the pose's once per pose.
struct ConditionalAggregation {
    /// One stream: projection, norm, and the attention of its learned query.
    private struct StreamAttention {
        let project: Linear
        let norm: LayerNorm
        let query: Tensor  // [1, 1, D] float32
        let projectedQuery: Tensor  // [1, 1, D]
        let keysAndValues: Linear
        let output: Linear
    }

    private let streams: [StreamAttention]
    private let normSelf: LayerNorm
    private let qkv: Linear
    private let projection: Linear
    private let normMLP: LayerNorm
    private let up: Linear
    private let down: Linear
    private let output: Linear
    private let heads: Int
    private let width: Int

    /// Everything under `condition.` but `null_condition`.
    init(_ loader: Loader, _ configuration: RPFMConfiguration) throws {
        width = configuration.hiddenSize
        heads = configuration.heads
        let inputs = [
            ("source_local", configuration.patchFeatures),
            ("source_global", configuration.sourceEncoderSize),
            ("pose_local", configuration.patchFeatures),
            ("pose_global", configuration.poseEncoderSize),
        ]
        let queries = try loader.parameter("queries", [4, width])
        let width = width
        streams = try inputs.enumerated().map { index, input in
            let cross = loader.scoped("cross_attn.\(index)")
            let project = try cross.linear("q", in: width, out: width)
            let isSound = !loader.reader.hasProblems
            let query =
                isSound ? queries.sliced(axis: 0, index..<index + 1).unsqueezed(axis: 0) : queries
            return StreamAttention(
                project: try loader.linear(input.0, in: input.1, out: width),
                norm: try loader.layerNorm("norms.\(index)", features: width, eps: AdaLNBlock.eps),
                query: query,
                projectedQuery: isSound
                    ? try project(
                        query, on: loader.compute,
                        into: loader.compute.persistent([1, 1, width], loader.compute.precision))
                    : query,
                keysAndValues: try cross.linear("kv", in: width, out: 2 * width),
                output: try cross.linear("proj", in: width, out: width))
        }
        normSelf = try loader.layerNorm("norm_self", features: width, eps: AdaLNBlock.eps)
        qkv = try loader.linear("self_attn.qkv", in: width, out: 3 * width)
        projection = try loader.linear("self_attn.proj", in: width, out: width)
        normMLP = try loader.layerNorm("norm_mlp", features: width, eps: AdaLNBlock.eps)
        up = try loader.linear("mlp.fc1", in: width, out: 4 * width)
        down = try loader.linear("mlp.fc2", in: 4 * width, out: width)
        output = try loader.linear("out", in: 4 * width, out: width)
    }

    /// The source's two vectors, [2, D] float32.
    ///
    /// - Parameters:
    ///   - local: Patches of its latents, [1, tokens, C·p·p].
    ///   - global: Its embeddings, [1, tokens, features].
    func source(local: Tensor, global: Tensor, on compute: Compute) throws -> Tensor {
        try pair(0, local, global, on: compute)
    }

    /// The pose's two vectors, [2, D] float32.
    func pose(local: Tensor, global: Tensor, on compute: Compute) throws -> Tensor {
        try pair(2, local, global, on: compute)
    }

    /// Brings both halves together: the condition, [D] float32.
    func callAsFunction(source: Tensor, pose: Tensor, on compute: Compute) throws -> Tensor {
        let x = try compute.scratch([1, 4, width], .f32)
        try compute.copy(source, to: x[0].sliced(axis: 0, 0..<2))
        try compute.copy(pose, to: x[0].sliced(axis: 0, 2..<4))
        let products = try qkv(try normSelf(x, on: compute), on: compute)  // [1, 4, 3·D]
        let attended = try Attention.selfAttention(qkv: products, heads: heads, on: compute)
        try projection(attended, on: compute, residual: x, into: x)
        let hidden = try up(try normMLP(x, on: compute), on: compute, activation: .geluTanh)
        try down(hidden, on: compute, residual: x, into: x)
        let condition = try compute.persistent([1, 1, width], .f32)
        try output(x.reshaped([1, 1, 4 * width]), on: compute, into: condition)
        return condition.reshaped([width])
    }

    private func pair(_ first: Int, _ local: Tensor, _ global: Tensor, on compute: Compute) throws
        -> Tensor
    {
        let result = try compute.persistent([1, 2, width], .f32)
        for (index, tokens) in [local, global].enumerated() {
            let stream = streams[first + index]
            let projected = try stream.project(tokens, on: compute, type: .f32)  // [1, T, D]
            let normalized = try stream.norm(projected, on: compute)
            let kv = try stream.keysAndValues(normalized, on: compute)  // [1, T, 2·D]
            let attended = try Attention.crossAttention(
                q: stream.projectedQuery, kv: kv, heads: heads, on: compute)  // [1, 1, D]
            try stream.output(
                attended, on: compute, residual: stream.query,
                into: result.sliced(axis: 1, index..<index + 1))
        }
        return result.reshaped([2, width])
    }
}
