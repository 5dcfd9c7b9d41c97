import CPosedBackend
package import PosedBackend

/// Keys and values of a row beyond its own: [T, h, d] each.
package struct CachedKeysAndValues: Sendable {
    package let keys: Tensor
    package let values: Tensor

    /// Keys and values of as many tokens and heads.
    package init(keys: Tensor, values: Tensor) {
        precondition(keys.shape == values.shape && keys.shape.count == 3)
        self.keys = keys
        self.values = values
    }
}

extension Compute {
    /// y = residual + gate · act(x Wᵀ + b).
    ///
    /// - Parameters:
    ///   - x: [B, T, K].
    ///   - weight: A packed matrix [N, K].
    ///   - gate: [B, N] float32; absent means 1.
    ///   - residual: [B, T, N].
    ///   - output: Where to write [B, T, N]; nil takes scratch memory of type `type`.
    ///   - type: The result's type; nil takes `precision`.
    /// - Throws: `BackendError` when shapes or types do not fit.
    @discardableResult
    package func linear(
        _ x: Tensor, _ weight: PackedWeight, out: Int, activation: Activation = .none,
        gate: Tensor? = nil, residual: Tensor? = nil, into output: Tensor? = nil, type: DType? = nil
    ) throws -> Tensor {
        let y = try output ?? scratch([x.shape[0], x.shape[1], out], type ?? precision)
        var desc = posed_linear_desc()
        desc.x = native(x)
        desc.y = native(y)
        desc.weight = handle(weight)
        desc.activation = activation.native
        if let gate { desc.gate = native(gate) }
        if let residual { desc.residual = native(residual) }
        try BackendError.check("linear") { device.table.linear(stream.handle, &desc, $0) }
        return y
    }

    /// y = act(conv(x) + b + residual).
    ///
    /// - Parameters:
    ///   - x: [N, H, W, C].
    ///   - shape: The result's: [N, Ho, Wo, O].
    ///   - residual: [N, Ho, Wo, O] of the result's type.
    /// - Throws: `BackendError` when shapes or types do not fit.
    @discardableResult
    package func conv2d(
        _ x: Tensor, _ weight: PackedWeight, shape: [Int], activation: Activation = .none,
        residual: Tensor? = nil, into output: Tensor? = nil, type: DType? = nil
    ) throws -> Tensor {
        let y = try output ?? scratch(shape, type ?? precision)
        var desc = posed_conv2d_desc()
        desc.x = native(x)
        desc.y = native(y)
        desc.weight = handle(weight)
        desc.activation = activation.native
        if let residual { desc.residual = native(residual) }
        try BackendError.check("conv2d") { device.table.conv2d(stream.handle, &desc, $0) }
        return y
    }

    /// Scaled dot-product attention.
    ///
    /// - Parameters:
    ///   - q: [B, Tq, h, d]; k, v: [B, Tk, h, d].
    ///   - cached: For each row, further keys and values, or nil; empty means none for any.
    ///   - bias: [h, Tq, Tk] float32, added to the scaled scores of all rows' own keys. Only where
    ///     the device serves it: ask `require` beforehand.
    /// - Returns: [B, Tq, h, d], dense.
    /// - Throws: `BackendError` when shapes or types do not fit.
    package func attention(
        q: Tensor, k: Tensor, v: Tensor, cached: [CachedKeysAndValues?] = [], bias: Tensor? = nil,
        scale: Float
    ) throws -> Tensor {
        let y = try scratch(q.shape, q.dtype)
        var desc = posed_attention_desc()
        desc.q = native(q)
        desc.k = native(k)
        desc.v = native(v)
        desc.y = native(y)
        desc.scale = scale
        if let bias { desc.bias = bias.native }
        precondition(cached.isEmpty || cached.count == q.shape[0], "one cache entry per row")
        let entries = cached.map { entry in
            var pair = posed_kv()
            if let entry {
                pair.k = native(entry.keys)
                pair.v = native(entry.values)
            }
            return pair
        }
        let hasCache = cached.contains { $0 != nil }
        try entries.withUnsafeBufferPointer { pointer in
            desc.cached = hasCache ? pointer.baseAddress : nil
            try BackendError.check("attention") {
                device.table.attention(stream.handle, &desc, $0)
            }
        }
        return y
    }
}
