import PosedBackend
import PosedModels
package import PosedPipeline
import PosedTensor

/// What the engine room knows of a model, without the model.
package struct ServedModel: Sendable {
    package var description: ModelDescription
    package var sampler: SamplerDefaults
    /// Where and how the velocity is computed, such as `onednn/bf16`.
    package var numerics: String
    /// Everything that encoded sources and poses depend on but content and size: backends and types of all
    /// parts, and the fingerprint.
    package var identity: String
    /// Bytes of a source's conditioning for every pixel of a picture made, and of each source besides.
    package var bytesPerPixel: Double
    package var bytesPerSourcePixel: Double

    /// A model of a description alone, as tests have it.
    package init(
        description: ModelDescription, sampler: SamplerDefaults, numerics: String, identity: String
    ) {
        self.description = description
        self.sampler = sampler
        self.numerics = numerics
        self.identity = identity
        bytesPerPixel = 0
        bytesPerSourcePixel = 0
    }

    /// A loaded model.
    ///
    /// - Parameters:
    ///   - name: as in `models/{name}`.
    ///   - fingerprint: of its weights and configuration.
    /// - Throws: `BackendError` when a device does not answer.
    package init(_ name: String, _ model: PoseModel, fingerprint: String) throws {
        let configuration = model.transformer.configuration
        let streams = model.streams
        let places = [
            ("vae", streams.vae), ("encoders", streams.encoders),
            ("transformer", streams.transformer),
        ]
        var description = ModelDescription()
        description.name = "models/" + name
        (description.width, description.height) = model.pictureSize
        description.sizeMultiple = model.autoencoder.downsampling * configuration.patchSize
        description.hiddenSize = configuration.hiddenSize
        description.depth = configuration.depth
        description.parameterCount = model.parameterCount
        description.hasReferenceAttention = configuration.referenceAttention
        description.parts = places.map {
            ModelDescription.Part(
                part: $0.0, device: $0.1.device.selection.description,
                dtype: ($0.0 == "vae" ? $0.1.precision : $0.1.products).name)
        }
        description.defaultSolver = model.sampler.solver
        description.defaultGuidance = model.sampler.guidance
        description.fingerprint = fingerprint
        self.description = description
        sampler = model.sampler
        let classes = try places.map {
            try $0.1.device.plugin.name + "/" + $0.1.device.info().numerics + "/"
                + $0.1.products.name
        }
        numerics = classes[2]
        identity = classes.joined(separator: " ") + " " + fingerprint
        let step = Double(description.sizeMultiple)
        let width = Double(configuration.hiddenSize)
        bytesPerPixel = width * 4 / (step * step)
        bytesPerSourcePixel =
            configuration.referenceAttention
            ? Double(2 * configuration.depth) * width
                * Double(streams.transformer.precision.size) / (step * step) : 0
    }

    /// Bytes that a source's conditioning will take, about.
    func conditioningBytes(width: Int, height: Int, sources: Int) -> Int {
        let pixels = Double(width * height)
        return Int(pixels * (bytesPerPixel + Double(sources) * bytesPerSourcePixel)) + 8192
    }
}
