import PosedNN
import PosedTensor

/// One transformer layer: attention and an MLP, each behind a norm and scaled by feature.
struct DINOv2Layer: Sendable {
    private let heads: Int
    private let norm1: LayerNorm
    private let qkv: Linear
    private let projection: Linear
    private let scale1: Tensor
    private let norm2: LayerNorm
    private let mlp: DINOv2MLP
    private let scale2: Tensor

    init(_ loader: Loader, _ configuration: DINOv2.Configuration) throws {
        let loader = loader.tokenwise
        let width = configuration.hiddenSize
        heads = configuration.heads
        try loader.compute.require(.attention(heads: heads, size: width / heads))
        norm1 = try loader.layerNorm("norm1", features: width, eps: configuration.eps)
        let attention = loader.scoped("attention")
        qkv = try attention.joined(
            ["attention.query", "attention.key", "attention.value"], in: width,
            outs: [width, width, width], bias: configuration.qkvBias)
        projection = try attention.linear("output.dense", in: width, out: width)
        scale1 = try loader.parameter("layer_scale1.lambda1", [width])
        norm2 = try loader.layerNorm("norm2", features: width, eps: configuration.eps)
        mlp = try DINOv2MLP(loader.scoped("mlp"), configuration)
        scale2 = try loader.parameter("layer_scale2.lambda1", [width])
    }

    var byteCount: Int {
        norm1.byteCount + qkv.byteCount + projection.byteCount + scale1.byteCount
            + norm2.byteCount + mlp.byteCount + scale2.byteCount
    }

    /// Adds the layer to the tokens in place: [B, T, D] float32.
    func callAsFunction(_ tokens: Tensor, on compute: Compute) throws {
        let batch = tokens.shape[0]
        let normed = try norm1(tokens, on: compute)
        let attended = try Attention.selfAttention(
            qkv: qkv(normed, on: compute), heads: heads, on: compute)
        try projection(
            attended, on: compute, gate: scale1.broadcast(batch), residual: tokens, into: tokens)
        try mlp(
            norm2(tokens, on: compute), on: compute, gate: scale2.broadcast(batch), addingTo: tokens
        )
    }
}
