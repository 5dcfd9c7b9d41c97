import Foundation
import PosedModels
import PosedPipeline

/// The model that is measured: a folder's, or one of a preset's size with random weights. Tells the
/// names of all measurements before anything is loaded.
struct BenchSubject {
    /// The model's folder; nil for a preset.
    let folder: ModelFolder?
    /// The preset; nil for a folder.
    let preset: Preset?
    /// The transformer.
    let transformer: VelocityForm
    /// The width of the image encoder's tokens.
    let encoderWidth: Int
    /// Pixels per element of a latent, along each side.
    let downsampling: Int

    /// A transformer of a published size.
    enum Preset {
        case rpfm(RPFMConfiguration)
        case xmdpt(XMDPTConfiguration)

        /// `S` for RPFM's, `xmdpt-S` for X-MDPT's; nil for anything else.
        init?(_ name: String, reference: Bool) {
            if let preset = RPFMConfiguration.Preset(rawValue: name) {
                var configuration = preset.configuration
                configuration.referenceAttention = reference
                self = .rpfm(configuration)
            } else if name.hasPrefix("xmdpt-"), !reference,
                let preset = XMDPTConfiguration.Preset(rawValue: String(name.dropFirst(6)))
            {
                self = .xmdpt(preset.configuration)
            } else {
                return nil
            }
        }

        /// All names.
        static let names =
            RPFMConfiguration.Preset.allCases.map(\.rawValue)
            + XMDPTConfiguration.Preset.allCases.map { "xmdpt-" + $0.rawValue }

        var form: VelocityForm {
            switch self {
            case .rpfm(let configuration): configuration.form
            case .xmdpt(let configuration): configuration.form
            }
        }
    }

    /// A preset, with Stable Diffusion's autoencoder and the image encoders of its kind.
    init(_ preset: Preset) {
        self.preset = preset
        folder = nil
        transformer = preset.form
        encoderWidth = transformer.sourceEncoderSize
        downsampling = 8
    }

    /// A model's folder.
    ///
    /// - Throws: `PipelineError` or `ModelError` when it is none.
    init(path: String) throws {
        let folder = try ModelFolder(path: path)
        self.folder = folder
        preset = nil
        transformer = try VelocityModels.form(folder: folder.part("transformer"))
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
        // Models of equal sizes that compute other things have other names.
        let family = transformer.conditionsTokens ? "" : "xmdpt-"
        let preset = RPFMConfiguration.Preset.allCases.first {
            let configuration = $0.configuration
            return configuration.hiddenSize == transformer.hiddenSize
                && configuration.depth == transformer.depth
        }
        return family + (preset?.rawValue ?? "h\(transformer.hiddenSize)d\(transformer.depth)")
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
        let reference = transformer.hasReference ? ".ref" : ""
        return "solve.\(size)\(reference).\(solver).nfe\(nfe).b\(batch)"
    }
}
