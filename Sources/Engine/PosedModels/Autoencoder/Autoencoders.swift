import PosedBackend
import PosedNN
package import PosedTensor
package import PosedWeights

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
