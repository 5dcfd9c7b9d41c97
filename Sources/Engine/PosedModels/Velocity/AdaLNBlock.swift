import PosedNN
import PosedTensor

/// A transformer block with DiT's adaLN-Zero. Its modulation vectors come from outside: those of all
/// blocks and steps are one product.
struct AdaLNBlock {
    let qkv: Linear
    let projection: Linear
    let up: Linear
    let down: Linear
    let heads: Int

    /// Added to the scores of attention, [heads, N, N] float32; nil for none.
    let attentionBias: Tensor?

    /// `attn.qkv`, `attn.proj`, `mlp.fc1` and `mlp.fc2` under the loader's prefix.
    ///
    /// - Parameter attentionBias: [heads, N, N] float32.
    init(
        _ loader: Loader, width: Int, heads: Int, mlpSize: Int, attentionBias: Tensor? = nil
    ) throws {
        let loader = loader.tokenwise
        self.heads = heads
        self.attentionBias = attentionBias
        try loader.compute.require(
            .attention(heads: heads, size: width / heads, bias: attentionBias != nil))
        qkv = try loader.linear("attn.qkv", in: width, out: 3 * width)
        projection = try loader.linear("attn.proj", in: width, out: width)
        up = try loader.linear("mlp.fc1", in: width, out: mlpSize)
        down = try loader.linear("mlp.fc2", in: mlpSize, out: width)
    }

    /// Bytes of packed weights on the device.
    var byteCount: Int {
        qkv.byteCount + projection.byteCount + up.byteCount + down.byteCount
            + (attentionBias?.byteCount ?? 0)
    }

    /// Updates the residual stream in place.
    ///
    /// - Parameters:
    ///   - x: [B, N, D] float32.
    ///   - modulation: This block's vectors, [B, 6·D] float32: shift, scale and gate of attention, then
    ///     of the MLP.
    ///   - cached: For each row, the reference's keys and values in this block; empty for none.
    /// - Returns: The block's queries, keys and values, [B, N, 3·D].
    @discardableResult
    func callAsFunction(
        _ x: Tensor, modulation: Tensor, cached: [CachedKeysAndValues?] = [], on compute: Compute
    ) throws -> Tensor {
        let width = x.shape[2]
        func vector(_ index: Int) -> Tensor {
            modulation.sliced(axis: 1, index * width..<(index + 1) * width)
        }
        let normalized = try compute.layerNorm(
            x, modulation: (scale: vector(1), shift: vector(0)), eps: AdaLNBlock.eps)
        let products = try qkv(normalized, on: compute)  // [B, N, 3·D]
        // [B, N, D]
        let attended = try Attention.selfAttention(
            qkv: products, heads: heads, cached: cached, bias: attentionBias, on: compute)
        try projection(attended, on: compute, gate: vector(2), residual: x, into: x)

        let second = try compute.layerNorm(
            x, modulation: (scale: vector(4), shift: vector(3)), eps: AdaLNBlock.eps)
        let hidden = try up(second, on: compute, activation: .geluTanh)  // [B, N, 4·D]
        try down(hidden, on: compute, gate: vector(5), residual: x, into: x)
        return products
    }

    /// The epsilon of every layer norm in the transformer.
    static let eps: Float = 1e-6
}
