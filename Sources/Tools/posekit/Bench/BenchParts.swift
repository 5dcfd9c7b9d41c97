import PosedModels
import PosedNN
import PosedOptions
import PosedPipeline
import PosedTensor
import PosedVision
import PosedWeights

/// The parts of what is measured, each made when it is first needed and kept until it is dropped.
final class BenchParts {
    let subject: BenchSubject
    let streams: PartStreams
    /// Seconds that making the parts took.
    private(set) var loadSeconds = 0.0
    private var vae: (any Autoencoder)?
    private var source: PoseModel.ImageEncoder?
    private var pose: PoseModel.ImageEncoder?
    private var velocity: (any VelocityModel)?

    /// Parts on the given streams.
    init(_ subject: BenchSubject, on streams: PartStreams) {
        self.subject = subject
        self.streams = streams
    }

    /// The transformer.
    func transformer() throws -> any VelocityModel {
        if let velocity { return velocity }
        let made: any VelocityModel = try load("transformer") {
            let compute = streams.transformer
            if let folder = subject.folder {
                return try VelocityModels.load(folder: folder.part("transformer"), on: compute)
                    .model
            }
            let reader = Self.reader("transformer")
            switch subject.preset {
            case .rpfm(let configuration):
                return try RPFMTransformer.load(configuration, reader, on: compute).model
            case .xmdpt(let configuration):
                return try XMDPTTransformer.load(configuration, reader, on: compute).model
            case nil: throw PosekitError(.invalidInput, "a model or a preset expected")
            }
        }
        velocity = made
        return made
    }

    /// The autoencoder.
    func autoencoder() throws -> any Autoencoder {
        if let vae { return vae }
        let loaded: any Autoencoder = try load("vae") {
            let compute = streams.vae
            if let folder = subject.folder {
                return try Autoencoders.load(folder: folder.part("vae"), on: compute).model
            }
            return try random("vae", on: compute) {
                try AutoencoderKL($0, AutoencoderKL.Configuration())
            }
        }
        vae = loaded
        return loaded
    }

    /// The source's image encoder.
    func sourceEncoder() throws -> PoseModel.ImageEncoder {
        if let source { return source }
        let encoder = try encoder("source_encoder")
        source = encoder
        return encoder
    }

    /// The pose's image encoder; the source's where the model has but one.
    func poseEncoder() throws -> PoseModel.ImageEncoder {
        let sizes = (subject.transformer.sourceEncoderSize, subject.transformer.poseEncoderSize)
        guard subject.folder?.hasPoseEncoder ?? (sizes.0 != sizes.1) else {
            return try sourceEncoder()
        }
        if let pose { return pose }
        let encoder = try encoder("pose_encoder")
        pose = encoder
        return encoder
    }

    /// Forgets the transformer.
    func dropTransformer() { velocity = nil }

    /// Forgets the autoencoder.
    func dropAutoencoder() { vae = nil }

    /// All parts together.
    func model() throws -> PoseModel {
        try PoseModel(
            name: subject.folder?.path ?? "preset \(subject.size)",
            autoencoder: try autoencoder(), sourceEncoder: try sourceEncoder(),
            poseEncoder: try poseEncoder(), transformer: try transformer(),
            sampler: subject.sampler, streams: streams, reports: [])
    }

    private func encoder(_ name: String) throws -> PoseModel.ImageEncoder {
        try load(name) {
            let compute =
                name == "source_encoder" ? streams.sourceEncoder : streams.poseEncoder
            guard let folder = subject.folder else {
                let width =
                    name == "source_encoder"
                    ? subject.transformer.sourceEncoderSize : subject.transformer.poseEncoderSize
                let model = try random(name, on: compute) {
                    try DINOv2($0, width == 1536 ? .giant : DINOv2.Configuration())
                }
                return PoseModel.ImageEncoder(model: model, preprocessor: .dinoV2)
            }
            let path = folder.part(name)
            return PoseModel.ImageEncoder(
                model: try DINOv2.load(folder: path, on: compute).model,
                preprocessor: try PreprocessorConfiguration(
                    file: path + "/preprocessor_config.json"))
        }
    }

    private func random<Model>(
        _ name: String, on compute: Compute, _ body: (Loader) throws -> Model
    ) throws -> Model {
        let reader = Self.reader(name)
        let model = try body(Loader(reader, on: compute))
        _ = try reader.finish()
        try compute.synchronize()
        return model
    }

    private static func reader(_ name: String) -> WeightReader {
        WeightReader(named: "random \(name)", generating: RandomWeights.make)
    }

    private func load<Part>(_ name: String, _ body: () throws -> Part) throws -> Part {
        Terminal.progress("loading the \(name)")
        let start = ContinuousClock.now
        let part = try body()
        loadSeconds += (ContinuousClock.now - start).milliseconds / 1000
        return part
    }
}
