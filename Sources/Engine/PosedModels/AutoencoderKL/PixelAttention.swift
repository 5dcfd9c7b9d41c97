import PosedNN
import PosedTensor

/// Attention of every pixel to every other, with one head: [N, H, W, C] to the same.
///
/// The names are those of today's files; the published autoencoders of Stable Diffusion still have the
/// older `query`, `key`, `value` and `proj_attn`, some of them as filters [C, C, 1, 1].
struct PixelAttention: Sendable {
    private let norm: GroupNorm
    private let qkv: Linear
    private let projection: Linear

    init(_ loader: Loader, channels: Int, groups: Int) throws {
        let filter = [channels, channels, 1, 1]
        try loader.compute.require(.attention(heads: 1, size: channels))
        norm = try loader.groupNorm(
            "group_norm", channels: channels, groups: groups, eps: ResnetBlock.eps)
        qkv = try loader.joined(
            ["to_q", "to_k", "to_v"], in: channels, outs: [channels, channels, channels],
            aliases: [["query"], ["key"], ["value"]], alternatives: [filter])
        projection = try loader.linear(
            "to_out.0", in: channels, out: channels, aliases: ["proj_attn"],
            alternatives: [filter])
    }

    var byteCount: Int { norm.byteCount + qkv.byteCount + projection.byteCount }

    func callAsFunction(_ x: Tensor, on compute: Compute) throws -> Tensor {
        let tokens = [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]]
        let y = try norm(x, on: compute).reshaped(tokens)  // [N, H·W, C]
        let attended = try Attention.selfAttention(qkv: qkv(y, on: compute), heads: 1, on: compute)
        return try projection(attended, on: compute, residual: x.reshaped(tokens))
            .reshaped(x.shape)  // [N, H, W, C]
    }
}
