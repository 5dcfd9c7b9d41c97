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

/// A product that a model intends to use, asked about when the model is loaded.
package enum ProductRequirement: Sendable {
    /// Rows of `inputs` to rows of `outputs`.
    case linear(inputs: Int, outputs: Int)
    /// A convolution of square filters.
    case conv2d(inputs: Int, outputs: Int, kernel: Int, stride: Int)
    /// Attention with heads of `size`, with or without a bias.
    case attention(heads: Int, size: Int, bias: Bool = false)

    /// The operation, and the sizes that decide.
    fileprivate var terms: (op: posed_op, sizes: [Int]) {
        switch self {
        case .linear(let inputs, let outputs): (POSED_OP_LINEAR, [inputs, outputs])
        case .conv2d(let inputs, let outputs, let kernel, let stride):
            (POSED_OP_CONV2D, [inputs, outputs, kernel, stride])
        case .attention(let heads, let size, let bias):
            (POSED_OP_ATTENTION, [heads, size, bias ? 1 : 0])
        }
    }
}

extension Compute {
    /// Makes sure that the device will carry out a product.
    ///
    /// - Parameter type: Of its operands; nil takes this stream's precision.
    /// - Throws: `BackendError` `.unsupported` with the device's reason.
    package func require(_ product: ProductRequirement, in type: DType? = nil) throws {
        let (op, sizes) = product.terms
        var query = posed_op_query()
        query.op = op.rawValue
        // Around a product in float32 tensors are float32, too.
        let carrier = type == .f32 ? DType.f32 : precision
        query.x_dtype = carrier.rawValue
        query.y_dtype = carrier.rawValue
        query.compute = (type ?? precision).rawValue
        withUnsafeMutableBytes(of: &query.sizes) { bytes in
            let slots = bytes.bindMemory(to: Int64.self)
            for (index, size) in sizes.enumerated() { slots[index] = Int64(size) }
        }
        if let refusal = device.refusal(of: query) { throw BackendError(.unsupported, refusal) }
    }
}

/// The nonlinearities of these models.
package enum Activation: Sendable {
    case none
    case relu
    /// x · sigmoid(x)
    case silu
    /// The tanh approximation of GELU.
    case geluTanh
    /// The exact GELU.
    case gelu
    case tanh

    var native: UInt32 {
        switch self {
        case .none: POSED_ACT_NONE.rawValue
        case .relu: POSED_ACT_RELU.rawValue
        case .silu: POSED_ACT_SILU.rawValue
        case .geluTanh: POSED_ACT_GELU_TANH.rawValue
        case .gelu: POSED_ACT_GELU_ERF.rawValue
        case .tanh: POSED_ACT_TANH.rawValue
        }
    }
}
