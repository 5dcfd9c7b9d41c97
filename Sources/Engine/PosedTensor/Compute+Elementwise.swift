import CPosedBackend
package import PosedBackend

extension Compute {
    /// Group normalisation of [N, H, W, C], then an activation; the result is dense, of type
    /// `precision` unless told.
    ///
    /// - Throws: `BackendError` when shapes or types do not fit.
    package func groupNorm(
        _ x: Tensor, gamma: Tensor, beta: Tensor, groups: Int, eps: Float,
        activation: Activation = .none, type: DType? = nil
    ) throws -> Tensor {
        let y = try scratch(x.shape, type ?? precision)
        var desc = posed_group_norm_desc()
        desc.x = native(x)
        desc.y = native(y)
        desc.gamma = native(gamma)
        desc.beta = native(beta)
        desc.groups = Int32(groups)
        desc.eps = eps
        desc.activation = activation.native
        try BackendError.check("group norm") { device.table.group_norm(stream.handle, &desc, $0) }
        return y
    }

    /// Layer normalisation over the last dimension of [B, T, D].
    ///
    /// - Parameters:
    ///   - affine: gamma and beta, [D] each, float32.
    ///   - modulation: scale and shift, [B, D] each, float32: n · (1 + scale) + shift.
    /// - Throws: `BackendError` when shapes or types do not fit.
    @discardableResult
    package func layerNorm(
        _ x: Tensor, affine: (gamma: Tensor, beta: Tensor)? = nil,
        modulation: (scale: Tensor, shift: Tensor)? = nil, eps: Float, into output: Tensor? = nil,
        type: DType? = nil
    ) throws -> Tensor {
        let y = try output ?? scratch(x.shape, type ?? precision)
        var desc = posed_layer_norm_desc()
        desc.x = native(x)
        desc.y = native(y)
        if let affine {
            desc.gamma = native(affine.gamma)
            desc.beta = native(affine.beta)
        }
        if let modulation {
            desc.scale = native(modulation.scale)
            desc.shift = native(modulation.shift)
        }
        desc.eps = eps
        try BackendError.check("layer norm") { device.table.layer_norm(stream.handle, &desc, $0) }
        return y
    }

    /// Copies, converting the type and following the strides of both.
    ///
    /// - Throws: `BackendError` when the shapes differ.
    package func copy(_ x: Tensor, to y: Tensor) throws {
        try Operation.copy(x, to: y).run(on: self)
    }

    /// The tensor as a dense one of another type; itself when it is that already.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func dense(_ x: Tensor, _ type: DType? = nil) throws -> Tensor {
        let type = type ?? x.dtype
        if x.isDense && x.dtype == type { return x }
        let y = try scratch(x.shape, type)
        try copy(x, to: y)
        return y
    }

    /// y = bias + Σ coefficient · x, of dense tensors of one shape, and of any number of them.
    ///
    /// - Throws: `BackendError` when shapes differ.
    package func combine(_ terms: [(Float, Tensor)], bias: Float = 0, into y: Tensor) throws {
        try Operation.combine(terms, bias: bias, into: y).run(on: self)
    }

    /// An activation by itself, on a dense tensor.
    ///
    /// - Throws: `BackendError` when types do not fit.
    package func activate(_ x: Tensor, _ activation: Activation, type: DType? = nil) throws
        -> Tensor
    {
        let y = try scratch(x.shape, type ?? x.dtype)
        var desc = posed_activate_desc(x: native(x), y: native(y), activation: activation.native)
        try BackendError.check("activate") { device.table.activate(stream.handle, &desc, $0) }
        return y
    }

    /// act(a) · b of the halves [a | b] of the last dimension: [B, T, 2·D] to [B, T, D].
    ///
    /// - Throws: `BackendError` when types do not fit.
    package func glu(_ x: Tensor, _ activation: Activation) throws -> Tensor {
        let y = try scratch([x.shape[0], x.shape[1], x.shape[2] / 2], x.dtype)
        var desc = posed_glu_desc(x: native(x), y: native(y), activation: activation.native)
        try BackendError.check("glu") { device.table.glu(stream.handle, &desc, $0) }
        return y
    }

    /// Images in [−1, 1] to 8 bits: dense [N, H, W, C], written to `y`.
    ///
    /// - Throws: `BackendError` when types do not fit.
    package func quantize(_ x: Tensor, into y: Tensor) throws {
        var desc = posed_quantize_desc(x: native(x), y: native(y))
        try BackendError.check("quantize") { device.table.quantize(stream.handle, &desc, $0) }
    }
}
