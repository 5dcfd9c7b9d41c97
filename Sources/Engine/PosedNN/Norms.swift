package import PosedBackend
package import PosedTensor

/// Layer normalisation with learned scale and offset, over the last dimension of [B, T, D].
package struct LayerNorm: Sendable {
    package let gamma: Tensor
    package let beta: Tensor
    package let eps: Float

    /// The normalised tensor, of type `type` (nil: the precision).
    ///
    /// - Throws: `BackendError` when shapes or types do not fit.
    package func callAsFunction(_ x: Tensor, on compute: Compute, type: DType? = nil) throws
        -> Tensor
    {
        try compute.layerNorm(x, affine: (gamma, beta), eps: eps, type: type)
    }
}

/// Group normalisation with learned scale and offset, of [N, H, W, C].
package struct GroupNorm: Sendable {
    package let gamma: Tensor
    package let beta: Tensor
    package let groups: Int
    package let eps: Float

    /// The normalised tensor, activated, of type `type` (nil: the precision).
    ///
    /// - Throws: `BackendError` when shapes or types do not fit.
    package func callAsFunction(
        _ x: Tensor, on compute: Compute, activation: Activation = .none, type: DType? = nil
    ) throws -> Tensor {
        try compute.groupNorm(
            x, gamma: gamma, beta: beta, groups: groups, eps: eps, activation: activation,
            type: type)
    }
}
