import PosedBackend
package import PosedTensor

/// Latents to tokens and back. Latents are channels-last; a token's features are ordered channel, row,
/// column, and tokens go row by row.
package struct Patchify: Sendable {
    /// Side of a patch, in latent pixels.
    package let size: Int
    package let channels: Int

    /// [B, h, w, C] to [B, N, C·p·p], float32.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func callAsFunction(_ z: Tensor, on compute: Compute) throws -> Tensor {
        let patches = grid(of: z)
        let features = channels * size * size
        let tokens = try compute.scratch(patches.shape, .f32)
        try compute.copy(patches, to: tokens)
        return tokens.reshaped([z.shape[0], z.shape[1] * z.shape[2] / (size * size), features])
    }

    /// [B, N, C·p·p] to [B, h, w, C], written to `z`.
    ///
    /// - Throws: `BackendError` when shapes do not fit.
    package func inverse(_ tokens: Tensor, into z: Tensor, on compute: Compute) throws {
        let patches = grid(of: z)
        try compute.copy(tokens.reshaped(patches.shape), to: patches)
    }

    /// A view of latents by patch: [B, h/p, w/p, C, p, p].
    private func grid(of z: Tensor) -> Tensor {
        z.splitting(axis: 1, inner: size).splitting(axis: 3, inner: size)
            .permuted([0, 1, 3, 5, 2, 4])
    }
}
