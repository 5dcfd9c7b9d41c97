import PosedBackend
import PosedNN
package import PosedTensor
package import PosedWeights

/// What the configurations of all autoencoders say.
package struct AutoencoderShape: Sendable, Equatable {
    /// Channels of a picture, and of a decoded one.
    package var inChannels = 3
    package var outChannels = 3
    package var latentChannels = 4
    /// Latents of the flow are (latent − shift) · scaling.
    package var scalingFactor: Double
    package var shiftFactor = 0.0

    /// The values of an autoencoder with this scale, three channels a pixel and four a latent.
    init(scalingFactor: Double) { self.scalingFactor = scalingFactor }

    /// Reads them from `config.json`; missing keys take the defaults of diffusers.
    ///
    /// - Throws: `ModelError` that names the file and the key.
    init(_ file: ConfigurationFile, scalingFactor: Double) throws(ModelError) {
        inChannels = try file.integer("in_channels", default: 3, in: 1...64)
        outChannels = try file.integer("out_channels", default: 3, in: 1...64)
        latentChannels = try file.integer("latent_channels", default: 4, in: 1...256)
        self.scalingFactor = try file.number(
            "scaling_factor", default: scalingFactor, in: 1e-6...1e6)
        shiftFactor = try file.number("shift_factor", default: 0, in: -1e6...1e6)
    }
}

/// Turns pictures into latents and back. Values are immutable; forwards take their memory from the
/// stream's scratch, so they can be captured.
package protocol Autoencoder: Sendable {
    /// Channels and scale.
    var shape: AutoencoderShape { get }
    /// Pixels per element of a latent, along each side.
    var downsampling: Int { get }

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
    /// Channels of a latent.
    package var latentChannels: Int { shape.latentChannels }

    func check(image: Tensor) throws(ModelError) {
        let (channels, shape) = (shape.inChannels, image.shape)
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

/// The autoencoders that a model's folder `vae` may hold.
package enum Autoencoders {
    /// Loads the autoencoder that `config.json` names in `_class_name`.
    ///
    /// - Parameters:
    ///   - folder: The path of the folder, laid out as diffusers does.
    ///   - compute: The stream that uploads; its precision becomes the model's.
    /// - Throws: `ModelError` for the configuration, `WeightsError` for the files, `BackendError` when
    ///   the device has no room.
    package static func load(
        folder: String, on compute: Compute
    ) throws -> (model: any Autoencoder, report: LoadReport) {
        let file = try ConfigurationFile(folder: folder)
        switch try file.string("_class_name") {
        case "AutoencoderKL":
            let configuration = try AutoencoderKL.Configuration(file)
            if configuration.forceUpcast, compute.precision == .f16 {
                throw file.refusal(
                    .unsupported, "force_upcast",
                    "must be false for a vae that computes in f16 (bf16 and f32 serve)")
            }
            return try load(folder, on: compute) { try AutoencoderKL($0, configuration) }
        case "AutoencoderTiny":
            let configuration = try AutoencoderTiny.Configuration(file)
            return try load(folder, on: compute) { try AutoencoderTiny($0, configuration) }
        default:
            throw file.refusal(
                .unsupported, "_class_name", "must be AutoencoderKL or AutoencoderTiny")
        }
    }

    private static func load(
        _ folder: String, on compute: Compute, _ make: (Loader) throws -> any Autoencoder
    ) throws -> (model: any Autoencoder, report: LoadReport) {
        let store = try WeightStore(folder: folder, base: "diffusion_pytorch_model")
        let reader = WeightReader(store)
        let model = try make(Loader(reader, on: compute))
        let report = try reader.finish()
        try compute.synchronize()
        return (model, report)
    }
}

extension Linear {
    /// The product at every pixel: [N, H, W, in] to [N, H, W, out].
    func perPixel(_ x: Tensor, on compute: Compute) throws -> Tensor {
        let (images, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let y = try self(x.reshaped([images, height * width, inputs]), on: compute)
        return y.reshaped([images, height, width, outputs])
    }
}
