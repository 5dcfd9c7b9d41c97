import PosedBackend
package import PosedModels
import PosedNN
import PosedTensor
package import PosedVision
package import PosedWeights

/// All parts of a model, loaded and checked against each other. Immutable; shared by pipelines.
package struct PoseModel: Sendable {
    package let autoencoder: any Autoencoder
    package let sourceEncoder: ImageEncoder
    package let poseEncoder: ImageEncoder
    package let transformer: any VelocityModel
    package let sampler: SamplerDefaults
    /// How it wants pictures of another aspect.
    package let framing: PictureFraming
    /// How poses are drawn for it.
    package let poseDrawer: PoseDrawer
    /// The streams whose devices and precisions the parts were packed for.
    package let streams: PartStreams
    /// What each part's weights amounted to.
    package let reports: [LoadReport]

    /// An image encoder and how it wants its pictures.
    package struct ImageEncoder: Sendable {
        package let model: DINOv2
        package let preprocessor: PreprocessorConfiguration

        package init(model: DINOv2, preprocessor: PreprocessorConfiguration) {
            self.model = model
            self.preprocessor = preprocessor
        }
    }

    /// Loads a model folder.
    ///
    /// - Throws: `PipelineError`, `ModelError`, `VisionError`, `WeightsError` or `BackendError`, naming
    ///   the file and what is wrong; nothing stays loaded.
    package static func load(folder path: String, on streams: PartStreams) throws -> PoseModel {
        let folder = try ModelFolder(path: path)
        var reports: [LoadReport] = []
        let vae = try Autoencoders.load(folder: folder.part("vae"), on: streams.vae)
        reports.append(vae.report)
        func encoder(_ name: String) throws -> ImageEncoder {
            let loaded = try DINOv2.load(folder: folder.part(name), on: streams.encoders)
            reports.append(loaded.report)
            return ImageEncoder(
                model: loaded.model,
                preprocessor: try PreprocessorConfiguration(
                    file: folder.part(name) + "/preprocessor_config.json"))
        }
        let source = try encoder("source_encoder")
        let pose = folder.hasPoseEncoder ? try encoder("pose_encoder") : source
        let loaded = try VelocityModels.load(
            folder: folder.part("transformer"), on: streams.transformer)
        reports.append(loaded.report)
        return try PoseModel(
            name: path, autoencoder: vae.model, sourceEncoder: source, poseEncoder: pose,
            transformer: loaded.model, sampler: folder.sampler, framing: folder.framing,
            poseDrawer: try PoseDrawer(folder: folder.part("pose_drawer")), streams: streams,
            reports: reports)
    }

    /// Parts as given.
    ///
    /// - Throws: `PipelineError` `.invalidModel` when they do not fit together.
    package init(
        name: String, autoencoder: any Autoencoder, sourceEncoder: ImageEncoder,
        poseEncoder: ImageEncoder, transformer: any VelocityModel, sampler: SamplerDefaults,
        framing: PictureFraming = PictureFraming(), poseDrawer: PoseDrawer = PoseDrawer(),
        streams: PartStreams, reports: [LoadReport]
    ) throws {
        let form = transformer.form
        let pairs = [
            (
                "in_channels", form.channels, "vae's latent channels",
                autoencoder.latentChannels
            ),
            (
                "source_encoder_dim", form.sourceEncoderSize, "source encoder's features",
                sourceEncoder.model.features
            ),
            (
                "pose_encoder_dim", form.poseEncoderSize, "pose encoder's features",
                poseEncoder.model.features
            ),
        ]
        for (key, ours, what, theirs) in pairs where ours != theirs {
            throw PipelineError(
                .invalidModel,
                "\(name): the transformer's \(key) is \(ours), but the \(what) are \(theirs)")
        }
        self.autoencoder = autoencoder
        self.sourceEncoder = sourceEncoder
        self.poseEncoder = poseEncoder
        self.transformer = transformer
        self.sampler = sampler
        self.framing = framing
        self.poseDrawer = poseDrawer
        self.streams = streams
        self.reports = reports
    }

    /// How many numbers its weights hold.
    package var parameterCount: Int { reports.reduce(0) { $0 + $1.parameters } }

    /// The size of its pictures, in pixels.
    package var pictureSize: (width: Int, height: Int) {
        let latent = transformer.form.latentSize
        return (latent.width * autoencoder.downsampling, latent.height * autoencoder.downsampling)
    }
}
