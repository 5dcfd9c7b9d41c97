import PosedBackend
import PosedGuarded
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
    /// What mends decoded pictures with the source's own pixels; nil for models without a detail decoder.
    package let detailDecoder: SourceBlend?
    /// The streams whose devices and precisions the parts were packed for.
    package let streams: PartStreams
    /// The tensors, numbers and bytes that were loaded for each part.
    package let reports: [LoadReport]

    /// An image encoder and how it wants its pictures. Its weights may be released, and are read again when
    /// they are next needed.
    package final class ImageEncoder: Sendable {
        package let preprocessor: PreprocessorConfiguration
        /// Features of a token.
        package let features: Int
        /// Side of a patch, in pixels.
        package let patchSize: Int
        /// Bytes of its weights on the device.
        package let byteCount: Int
        private let loaded: Guarded<DINOv2?>
        private let reading: (@Sendable () throws -> DINOv2)?

        /// An encoder in memory.
        ///
        /// - Parameters:
        ///   - byteCount: Bytes of its weights on the device.
        ///   - reading: Reads it again; nil: it stays.
        package init(
            model: DINOv2, preprocessor: PreprocessorConfiguration, byteCount: Int = 0,
            reading: (@Sendable () throws -> DINOv2)? = nil
        ) {
            self.preprocessor = preprocessor
            self.reading = reading
            features = model.features
            patchSize = model.configuration.patchSize
            self.byteCount = byteCount
            loaded = Guarded(model)
        }

        /// The encoder, read again if it was released.
        ///
        /// - Throws: what reading throws.
        package func model() throws -> DINOv2 {
            if let model = loaded.withLock({ $0 }) { return model }
            guard let reading else {
                throw PipelineError(
                    .invalidModel, "an encoder was asked for whose weights are released")
            }
            let model = try reading()
            loaded.withLock { $0 = model }
            return model
        }

        /// Whether its weights are in memory.
        package var isLoaded: Bool { loaded.withLock { $0 != nil } }

        /// Releases the weights, if they can be read again. Graphs that captured them must be gone before.
        package func release() {
            if reading != nil { loaded.withLock { $0 = nil } }
        }
    }

    /// Whether the source's encoder can be released while only poses are encoded: the poses have one of their
    /// own.
    package var canReleaseSourceEncoder: Bool { sourceEncoder !== poseEncoder }

    /// Loads a model folder.
    ///
    /// - Throws: `PipelineError`, `ModelError`, `VisionError`, `WeightsError` or `BackendError`, naming
    ///   the file and what is wrong; nothing stays loaded.
    package static func load(folder path: String, on streams: PartStreams) throws -> PoseModel {
        let folder = try ModelFolder(path: path)
        var reports: [LoadReport] = []
        let vae = try Autoencoders.load(folder: folder.part("vae"), on: streams.vae)
        reports.append(vae.report)
        func encoder(_ name: String, on compute: Compute) throws -> ImageEncoder {
            let path = folder.part(name)
            let before = try compute.device.info().memoryUsed
            let loaded = try DINOv2.load(folder: path, on: compute)
            let after = try compute.device.info().memoryUsed
            reports.append(loaded.report)
            return ImageEncoder(
                model: loaded.model,
                preprocessor: try PreprocessorConfiguration(
                    file: path + "/preprocessor_config.json"),
                byteCount: Int(clamping: after - min(before, after))
            ) { try DINOv2.load(folder: path, on: compute).model }
        }
        let source = try encoder("source_encoder", on: streams.sourceEncoder)
        let isShared = !folder.hasPoseEncoder && streams.sourceEncoder === streams.poseEncoder
        let pose =
            isShared
            ? source
            : try encoder(
                folder.hasPoseEncoder ? "pose_encoder" : "source_encoder", on: streams.poseEncoder)
        let loaded = try VelocityModels.load(
            folder: folder.part("transformer"), on: streams.transformer)
        reports.append(loaded.report)
        return try PoseModel(
            name: path, autoencoder: vae.model, sourceEncoder: source, poseEncoder: pose,
            transformer: loaded.model, sampler: folder.sampler, framing: folder.framing,
            poseDrawer: try PoseDrawer(folder: folder.part("pose_drawer")),
            detailDecoder: try SourceBlend(folder: folder.part("detail_decoder")),
            streams: streams, reports: reports)
    }

    /// Parts as given.
    ///
    /// - Throws: `PipelineError` `.invalidModel` when they do not fit together.
    package init(
        name: String, autoencoder: any Autoencoder, sourceEncoder: ImageEncoder,
        poseEncoder: ImageEncoder, transformer: any VelocityModel, sampler: SamplerDefaults,
        framing: PictureFraming = PictureFraming(), poseDrawer: PoseDrawer = PoseDrawer(),
        detailDecoder: SourceBlend? = nil, streams: PartStreams, reports: [LoadReport]
    ) throws {
        let form = transformer.form
        let pairs = [
            (
                "in_channels", form.channels, "vae's latent channels",
                autoencoder.latentChannels
            ),
            (
                "source_encoder_dim", form.sourceEncoderSize, "source encoder's features",
                sourceEncoder.features
            ),
            (
                "pose_encoder_dim", form.poseEncoderSize, "pose encoder's features",
                poseEncoder.features
            ),
        ]
        for (key, ours, what, theirs) in pairs where ours != theirs {
            throw PipelineError(
                .invalidModel,
                "\(name): the transformer's \(key) is \(ours), but the \(what) are \(theirs)")
        }
        guard detailDecoder == nil || autoencoder.downsampling % SourceBlend.cell == 0 else {
            throw PipelineError(
                .invalidModel,
                "\(name): the detail decoder sees cells of \(SourceBlend.cell) pixels a side, but the "
                    + "vae's latents have \(autoencoder.downsampling)")
        }
        self.autoencoder = autoencoder
        self.sourceEncoder = sourceEncoder
        self.poseEncoder = poseEncoder
        self.transformer = transformer
        self.sampler = sampler
        self.framing = framing
        self.poseDrawer = poseDrawer
        self.detailDecoder = detailDecoder
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

extension PoseModel {
    /// Why a model cannot make pictures of a size.
    package struct SizeProblem: Sendable {
        /// A side of a picture.
        package enum Side: String, Sendable {
            case width, height
        }

        /// The side at fault.
        package let side: Side
        /// The size that was expected, and the one that came.
        package let message: String
    }

    /// The longest side of a picture that any model makes, in pixels.
    private static let mostPixels = 4096

    /// The number that the sides of pictures must be multiples of.
    package var sizeMultiple: Int {
        autoencoder.downsampling * transformer.form.patchSize
    }

    /// Why the model cannot make pictures of that size, in pixels; nil where it can.
    package func problem(width: Int, height: Int) -> SizeProblem? {
        for (side, extent) in [(SizeProblem.Side.width, width), (.height, height)]
        where extent < sizeMultiple || extent > Self.mostPixels || extent % sizeMultiple != 0 {
            return SizeProblem(
                side: side,
                message: "the \(side.rawValue) must be a multiple of \(sizeMultiple) up to "
                    + "\(Self.mostPixels) pixels, but it is \(extent)")
        }
        let own = pictureSize
        if transformer.form.isSizeFixed, (width, height) != own {
            return SizeProblem(
                side: width == own.width ? .height : .width,
                message: "this model makes pictures of \(own.width) × \(own.height) pixels alone, "
                    + "but \(width) × \(height) were asked for")
        }
        for (name, encoder) in [("source", sourceEncoder), ("pose", poseEncoder)] {
            if let problem = encoder.problem(name, width: width, height: height) { return problem }
        }
        return nil
    }
}

extension PoseModel.ImageEncoder {
    /// Why the encoder cannot see pictures of that size: what its preprocessor makes of them is smaller than a
    /// patch, or a sliver that would be enlarged beyond all bounds.
    fileprivate func problem(_ name: String, width: Int, height: Int) -> PoseModel.SizeProblem? {
        let patch = patchSize
        let seen = preprocessor.outputSize(width: width, height: height)
        let sides: [(PoseModel.SizeProblem.Side, Int)] = [
            (.width, seen.width), (.height, seen.height),
        ]
        for (side, extent) in sides where extent < patch {
            return PoseModel.SizeProblem(
                side: side,
                message: "the \(name) encoder sees pictures of \(width) × \(height) in "
                    + "\(seen.width) × \(seen.height) pixels, but its patches have \(patch) a side")
        }
        guard preprocessor.canPrepare(width: width, height: height) else {
            return PoseModel.SizeProblem(
                side: width > height ? .width : .height,
                message: "pictures of \(width) × \(height) are too long and narrow for the "
                    + "\(name) encoder, which enlarges their shorter side")
        }
        return nil
    }
}
