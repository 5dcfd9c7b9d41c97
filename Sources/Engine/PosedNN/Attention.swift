package import PosedTensor

/// Multi-head attention over projections that lie side by side, as one product makes them.
package enum Attention {
    /// Self-attention.
    ///
    /// - Parameters:
    ///   - qkv: Queries, keys and values, [B, T, 3·D].
    ///   - heads: How many heads D holds.
    ///   - cached: For each row, further keys and values; empty for none.
    ///   - bias: [heads, T, T] float32, added to the scores of all rows; nil for none.
    /// - Returns: [B, T, D].
    /// - Throws: `BackendError` when shapes do not fit.
    package static func selfAttention(
        qkv: Tensor, heads: Int, cached: [CachedKeysAndValues?] = [], bias: Tensor? = nil,
        on compute: Compute
    ) throws -> Tensor {
        let width = qkv.shape[2] / 3
        let parts = (0..<3).map { part in
            split(qkv.sliced(axis: 2, part * width..<(part + 1) * width), heads)
        }
        let y = try compute.attention(
            q: parts[0], k: parts[1], v: parts[2], cached: cached, bias: bias,
            scale: scale(width / heads))
        return y.reshaped([qkv.shape[0], qkv.shape[1], width])
    }

    /// Attention of queries [B, Tq, D] to keys and values side by side, [B, Tk, 2·D].
    ///
    /// - Returns: [B, Tq, D].
    /// - Throws: `BackendError` when shapes do not fit.
    package static func crossAttention(
        q: Tensor, kv: Tensor, heads: Int, on compute: Compute
    ) throws -> Tensor {
        let width = q.shape[2]
        let y = try compute.attention(
            q: split(q, heads), k: split(kv.sliced(axis: 2, 0..<width), heads),
            v: split(kv.sliced(axis: 2, width..<2 * width), heads), scale: scale(width / heads))
        return y.reshaped([q.shape[0], q.shape[1], width])
    }

    /// [B, T, D] to [B, T, heads, D / heads].
    package static func split(_ x: Tensor, _ heads: Int) -> Tensor {
        x.splitting(axis: 2, inner: x.shape[2] / heads)
    }

    /// 1 / √d
    package static func scale(_ size: Int) -> Float { 1 / Float(size).squareRoot() }
}
