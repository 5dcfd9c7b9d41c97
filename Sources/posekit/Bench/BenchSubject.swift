import Foundation
import PosedModels
import PosedPipeline

/// The model that is measured: a folder's, or one of a preset's size with random weights. Tells the
/// names of all measurements before anything is loaded.
struct BenchSubject {
    /// The model's folder; nil for a preset.
    let folder: ModelFolder?
    /// The transformer.
    let transformer: RPFMConfiguration
    /// The width of the image encoder's tokens.
    let encoderWidth: Int
    /// Pixels per element of a latent, along each side.
    let downsampling: Int

    /// A preset, with Stable Diffusion's autoencoder and DINOv2-B.
    init(_ preset: RPFMConfiguration.Preset, reference: Bool) {
        var configuration = preset.configuration
        configuration.referenceAttention = reference
        folder = nil
        transformer = configuration
        encoderWidth = configuration.sourceEncoderSize
        downsampling = 8
    }

    /// A model's folder.
    ///
    /// - Throws: `PipelineError` or `ModelError` when it is none.
    init(path: String) throws {
        let folder = try ModelFolder(path: path)
        self.folder = folder
        transformer = try RPFMConfiguration(
            ConfigurationFile(folder: folder.part("transformer")))
        encoderWidth = transformer.sourceEncoderSize
        let vae = try ConfigurationFile(folder: folder.part("vae"))
        let levels =
            try vae.string("_class_name") == "AutoencoderTiny"
            ? AutoencoderTiny.Configuration(vae).encoderBlocks.count
            : AutoencoderKL.Configuration(vae).blockOutChannels.count
        downsampling = 1 << (levels - 1)
    }

    /// The sampler's defaults.
    var sampler: SamplerDefaults { folder?.sampler ?? SamplerDefaults() }

    /// The transformer's size in names: a preset's letter, or `h128d2`.
    var size: String {
        let preset = RPFMConfiguration.Preset.allCases.first {
            let configuration = $0.configuration
            return configuration.hiddenSize == transformer.hiddenSize
                && configuration.depth == transformer.depth
        }
        return preset?.rawValue ?? "h\(transformer.hiddenSize)d\(transformer.depth)"
    }

    /// The picture's size in names: `256`, or `192x256`.
    var picture: String {
        let width = transformer.latentSize.width * downsampling
        let height = transformer.latentSize.height * downsampling
        return width == height ? "\(width)" : "\(width)x\(height)"
    }

    /// The image encoder in names.
    var encoder: String {
        switch encoderWidth {
        case 384: "dinov2-s"
        case 768: "dinov2-b"
        case 1024: "dinov2-l"
        case 1536: "dinov2-g"
        default: "dinov2-h\(encoderWidth)"
        }
    }

    /// A velocity's name; `reference` with the source's keys and values attended to.
    func velocity(_ batch: Int, reference: Bool) -> String {
        "velocity.\(size)\(reference ? ".ref" : "").b\(batch)"
    }

    /// A solve's name.
    func solve(_ solver: String, nfe: Int, _ batch: Int) -> String {
        let reference = transformer.referenceAttention ? ".ref" : ""
        return "solve.\(size)\(reference).\(solver).nfe\(nfe).b\(batch)"
    }
}
