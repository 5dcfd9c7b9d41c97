import PosedNN
package import PosedTensor
package import PosedWeights

/// The velocity models that a model's folder may have, told by the class that `config.json` names.
package enum VelocityModels {
    /// What a class is read with.
    private struct Entry: Sendable {
        let form: @Sendable (ConfigurationFile) throws -> VelocityForm
        let load: @Sendable (ConfigurationFile, WeightReader, Compute) throws -> Loaded
    }

    /// A model and what its weights amounted to.
    package typealias Loaded = (model: any VelocityModel, report: LoadReport)

    private static let entries: [String: Entry] = [
        RPFMConfiguration.className: Entry(
            form: { try RPFMConfiguration($0).form },
            load: { try RPFMTransformer.load(RPFMConfiguration($0), $1, on: $2) }),
        XMDPTConfiguration.className: Entry(
            form: { try XMDPTConfiguration($0).form },
            load: { try XMDPTTransformer.load(XMDPTConfiguration($0), $1, on: $2) }),
    ]

    /// Loads a transformer's folder.
    ///
    /// - Throws: `ModelError` for the configuration, `WeightsError` for the files, `BackendError` when
    ///   the device has no room.
    package static func load(folder: String, on compute: Compute) throws -> Loaded {
        let file = try ConfigurationFile(folder: folder)
        let entry = try entry(file)
        let reader = WeightReader(
            try WeightStore(folder: folder, base: "diffusion_pytorch_model"))
        return try entry.load(file, reader, compute)
    }

    /// The form of the model in a transformer's folder; its weights are not read.
    ///
    /// - Throws: `ModelError` for the configuration.
    package static func form(folder: String) throws -> VelocityForm {
        let file = try ConfigurationFile(folder: folder)
        return try entry(file).form(file)
    }

    private static func entry(_ file: ConfigurationFile) throws(ModelError) -> Entry {
        let name = try file.string("_class_name", default: RPFMConfiguration.className)
        if let entry = entries[name] { return entry }
        throw file.refusal(
            .unsupported, "_class_name",
            "must be one of \(entries.keys.sorted().joined(separator: ", "))")
    }
}
