import PosedNN
package import PosedTensor
package import PosedWeights

extension RPFMTransformer {
    /// Loads a transformer's folder.
    ///
    /// - Throws: `ModelError` for the configuration, `WeightsError` for the files, `BackendError` when
    ///   the device has no room.
    package static func load(
        folder: String, on compute: Compute
    ) throws -> (model: RPFMTransformer, report: LoadReport) {
        let configuration = try RPFMConfiguration(ConfigurationFile(folder: folder))
        let reader = WeightReader(
            try WeightStore(folder: folder, base: "diffusion_pytorch_model"))
        return try load(configuration, reader, on: compute)
    }

    /// Loads a transformer from a reader.
    ///
    /// - Throws: `WeightsError` for the tensors, `BackendError` when the device has no room.
    package static func load(
        _ configuration: RPFMConfiguration, _ reader: WeightReader, on compute: Compute
    ) throws -> (model: RPFMTransformer, report: LoadReport) {
        let model = try RPFMTransformer(configuration, Loader(reader, on: compute))
        let report = try reader.finish()
        try compute.synchronize()
        return (model, report)
    }
}
