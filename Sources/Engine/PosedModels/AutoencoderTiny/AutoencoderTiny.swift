package import PosedNN
package import PosedTensor

/// A small autoencoder that was distilled from a large one, in the layout and with the keys of
/// diffusers' `AutoencoderTiny`.
package struct AutoencoderTiny: Autoencoder {
    package let configuration: Configuration
    private let encoder: TinyEncoder
    private let decoder: TinyDecoder

    /// Takes the weights from `loader`; the caller then asks its reader to `finish`.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package init(_ loader: Loader, _ configuration: Configuration) throws {
        self.configuration = configuration
        encoder = try TinyEncoder(loader.scoped("encoder.layers"), configuration)
        decoder = try TinyDecoder(loader.scoped("decoder.layers"), configuration)
    }

    package var latentChannels: Int { configuration.latentChannels }

    package var downsampling: Int { 1 << (configuration.encoderBlocks.count - 1) }

    package var byteCount: Int { encoder.byteCount + decoder.byteCount }

    package func encode(_ image: Tensor, on compute: Compute) throws -> Tensor {
        try check(image: image, channels: configuration.inChannels)
        return try encoder(image, on: compute)
    }

    package func decode(_ latent: Tensor, on compute: Compute) throws -> Tensor {
        try check(latent: latent)
        return try decoder(latent, on: compute)
    }
}
