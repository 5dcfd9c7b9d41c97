import PosedBackend
package import PosedTensor

/// Turns pictures into latents and back. Values are immutable; forwards take their memory from the
/// stream's scratch, so they can be captured.
package protocol Autoencoder: Sendable {
    /// Channels of a latent.
    var latentChannels: Int { get }
    /// Pixels per element of a latent, along each side.
    var downsampling: Int { get }
    /// Bytes of device memory.
    var byteCount: Int { get }

    /// Encodes pictures as the posterior's mean, shifted and scaled.
    ///
    /// - Parameter image: [N, H, W, 3] float32, in [−1, 1]; H and W are multiples of `downsampling`.
    /// - Returns: [N, H / downsampling, W / downsampling, latentChannels] float32.
    /// - Throws: `ModelError` `.mismatch` for another shape, `BackendError` when the device fails.
    func encode(_ image: Tensor, on compute: Compute) throws -> Tensor

    /// Decodes latents.
    ///
    /// - Parameter latent: [N, h, w, latentChannels] float32.
    /// - Returns: [N, h · downsampling, w · downsampling, 3] float32, about in [−1, 1], not clamped.
    /// - Throws: `ModelError` `.mismatch` for another shape, `BackendError` when the device fails.
    func decode(_ latent: Tensor, on compute: Compute) throws -> Tensor
}

extension Autoencoder {
    func check(image: Tensor, channels: Int) throws(ModelError) {
        let shape = image.shape
        guard shape.count == 4, shape[3] == channels, !shape.contains(0), image.dtype == .f32,
            shape[1].isMultiple(of: downsampling), shape[2].isMultiple(of: downsampling)
        else {
            throw ModelError(
                .mismatch,
                "pictures [N, H, W, \(channels)] of f32 with sides that are multiples of "
                    + "\(downsampling) expected, but \(shape) of \(image.dtype.name) came")
        }
    }

    func check(latent: Tensor) throws(ModelError) {
        let shape = latent.shape
        guard shape.count == 4, shape[3] == latentChannels, !shape.contains(0), latent.dtype == .f32
        else {
            throw ModelError(
                .mismatch,
                "latents [N, h, w, \(latentChannels)] of f32 expected, but \(shape) of "
                    + "\(latent.dtype.name) came")
        }
    }
}
