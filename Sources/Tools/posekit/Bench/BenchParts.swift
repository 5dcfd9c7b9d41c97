import PosedBackend
import PosedModels
import PosedNN
import PosedOptions
import PosedPipeline
import PosedSolvers
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

/// Measures the autoencoder and the image encoder: a tensor on the device in, one out, captured.
struct PartBench {
    let parts: BenchParts
    let run: BenchRun

    /// `vae.encode.256` and `vae.decode.256`.
    func autoencoder() throws {
        let subject = parts.subject
        let names = ["encode", "decode"].map { "vae.\($0).\(subject.picture)" }
        guard names.contains(where: run.wants) else { return }
        let model = try parts.autoencoder()
        let compute = parts.streams.vae
        let size = subject.transformer.latentSize
        let latent = [1, size.height, size.width, model.latentChannels]
        let pixels = [1, size.height * subject.downsampling, size.width * subject.downsampling, 3]
        try measure(names[0], pixels, latent, on: compute) { try model.encode($0, on: compute) }
        try measure(names[1], latent, pixels, on: compute) { try model.decode($0, on: compute) }
    }

    /// `dinov2-b.224`.
    func encoder() throws {
        let subject = parts.subject
        // The picture's size is the preprocessor's, which is read with the encoder.
        guard run.mayWant(subject.encoder + ".") else { return }
        let encoder = try parts.sourceEncoder()
        let compute = parts.streams.sourceEncoder
        let size = subject.transformer.latentSize
        let (width, height) = encoder.preprocessor.outputSize(
            width: size.width * subject.downsampling, height: size.height * subject.downsampling)
        let side = width == height ? "\(width)" : "\(width)x\(height)"
        let model = try encoder.model()
        let positions = try model.prepare(height: height, width: width, on: compute)
        let tokens = [1, model.tokens(height: height, width: width), model.features]
        try withExtendedLifetime(positions) {
            try measure("\(subject.encoder).\(side)", [1, height, width, 3], tokens, on: compute) {
                try model($0, on: compute)
            }
        }
    }

    private func measure(
        _ name: String, _ shape: [Int], _ result: [Int], on compute: Compute,
        _ forward: (Tensor) throws -> Tensor
    ) throws {
        guard run.wants(name) else { return }
        Terminal.progress(name)
        let input = try compute.tensor(BenchRun.noise(shape.reduce(1, *)), shape)
        let output = try compute.persistent(result, .f32)
        let graph = try compute.capture { try compute.copy(try forward(input), to: output) }
        try run.measure(name, on: compute) {
            try compute.launch(graph)
            try compute.synchronize()
        }
    }
}

/// Measures single velocity evaluations: latents and modulation vectors set, one captured evaluation.
struct VelocityBench {
    let parts: BenchParts
    let run: BenchRun

    /// `velocity.S.b1` for every batch, and `velocity.S.ref.b1` where the model attends to a reference.
    func velocities() throws {
        let subject = parts.subject
        for reference in [false, true] where !reference || subject.transformer.hasReference {
            for batch in run.batches {
                let name = subject.velocity(batch, reference: reference)
                if run.wants(name) { try measure(name, batch, reference: reference) }
            }
        }
    }

    private func measure(_ name: String, _ batch: Int, reference: Bool) throws {
        let model = try parts.transformer()
        let compute = parts.streams.transformer
        Terminal.progress(name)
        let form = model.form
        let empty = try model.emptyCondition(form.latentSize, on: compute)
        let condition = reference ? try referenced(model, on: compute) : empty
        let bank = try VelocityBank(
            model, empty: empty, conditionedRows: batch, emptyRows: 0, on: compute)
        try bank.reserve(conditioned: batch, empty: 0)
        for row in 0..<batch { try bank.load(condition, row: row) }
        let vectors = try model.modulations(times: [0.3], of: [condition.vector], on: compute)
        let shape = [1, form.latentSize.height, form.latentSize.width, form.channels]
        let z = try compute.tensor(BenchRun.noise(shape.reduce(1, *)), shape)
        try run.measure(name, on: compute) {
            for row in 0..<batch {
                try compute.copy(z, to: bank.z(.conditioned(row)))
                try compute.copy(vectors[0], to: bank.modulation(.conditioned(row)))
            }
            try bank.evaluate(conditioned: batch, empty: 0)
            try compute.synchronize()
        }
    }

    /// A condition with the keys and values of a source.
    private func referenced(_ model: any VelocityModel, on compute: Compute) throws -> RowCondition
    {
        let form = model.form
        let size = form.latentSize
        let shape = [1, size.height, size.width, form.channels]
        let latent = try compute.tensor(BenchRun.noise(shape.reduce(1, *)), shape)
        func tokens(_ features: Int) throws -> Tensor {
            try compute.tensor(BenchRun.noise(features), [1, 1, features])
        }
        let source = try model.source(
            latents: latent, embeddings: try tokens(form.sourceEncoderSize), on: compute)
        let pose = try model.pose(
            latent: latent, embedding: try tokens(form.poseEncoderSize), on: compute)
        return try model.condition(source, pose, on: compute)
    }
}

/// Measures what a session does: a source and a pose encoded, pictures sampled and decoded.
struct SessionBench {
    let parts: BenchParts
    let run: BenchRun
    let solvers: SolverRegistry
    let settings: SamplingSettings

    private let solveNames: [Int: String]

    /// - Throws: `SolverError` for settings that cannot be.
    init(
        parts: BenchParts, run: BenchRun, solvers: SolverRegistry, settings: SamplingSettings
    ) throws {
        self.parts = parts
        self.run = run
        self.solvers = solvers
        self.settings = settings
        let plan = try SolverPlan(
            try solvers.tableau(settings.solver), budget: settings.budget,
            timeShift: settings.timeShift, lastStepFirstOrder: settings.lastStepFirstOrder)
        var names: [Int: String] = [:]
        for batch in run.batches {
            names[batch] = parts.subject.solve(settings.solver, nfe: plan.evaluations, batch)
        }
        solveNames = names
    }

    /// Whether any of it is wanted, so that all parts are needed at once.
    var isWanted: Bool {
        (["session.source", "session.pose"] + solveNames.values).contains(where: run.wants)
    }

    /// `session.source`, `session.pose` and `solve.S.heun.nfe15.b1` for every batch.
    func sessions() throws {
        guard isWanted else { return }
        let pipeline = try Pipeline(try parts.model(), solvers: solvers)
        let compute = parts.streams.transformer
        let picture = try Self.picture(pipeline.width, pipeline.height)
        let source = try pipeline.source([picture])
        let pose = try pipeline.pose(try Self.pose())
        try measure("session.source") {
            _ = try pipeline.source([picture])
            try compute.synchronize()
        }
        try measure("session.pose") {
            _ = try pipeline.pose(try Self.pose())
            try compute.synchronize()
        }
        for batch in run.batches {
            let rows = try (0..<batch).map { _ in try pipeline.condition(source, pose) }
            try measure(solveNames[batch] ?? "") {
                _ = try pipeline.decode(
                    try pipeline.sample(rows, settings).latents, of: rows)
            }
        }
    }

    private func measure(_ name: String, _ body: () throws -> Void) throws {
        guard run.wants(name) else { return }
        Terminal.progress(name)
        try run.measure(name, on: parts.streams.transformer, at: run.placement, body)
    }

    /// A picture of noise.
    private static func picture(_ width: Int, _ height: Int) throws -> Image {
        let bytes = BenchRun.noise(width * height * 3).map { UInt8(($0 + 1) * 127) }
        return try Image(width: width, height: height, bytes: bytes)
    }

    /// A standing person, normalized to the picture.
    private static func pose() throws -> PoseInput {
        let joints: [(x: Double, y: Double)] = [
            (0.50, 0.16), (0.50, 0.28), (0.40, 0.29), (0.33, 0.42), (0.31, 0.55), (0.60, 0.29),
            (0.68, 0.41), (0.66, 0.55), (0.44, 0.56), (0.42, 0.74), (0.43, 0.92), (0.56, 0.56),
            (0.60, 0.75), (0.58, 0.93), (0.47, 0.13), (0.53, 0.13), (0.44, 0.15), (0.57, 0.15),
        ]
        return .keypoints(
            try Keypoints(joints.map { Keypoint(x: $0.x, y: $0.y, confidence: 1) }))
    }
}

/// Tensors for models without a file: the same for the same name, of a scale that keeps activations
/// finite through many layers.
enum RandomWeights {
    /// The elements of a tensor, row-major: uniform in ±√(3 / fan-in) for matrices and filters, about 1
    /// for scales of norms and layers, about 0 for offsets.
    static func make(_ name: String, _ shape: [Int]) -> [Float] {
        let count = shape.reduce(1, *)
        let seed = hash(name)
        if shape.count < 2 {
            let center: Float = name.hasSuffix("bias") ? 0 : isScale(name) ? 1 : 0
            return values(count, seed: seed, center: center, reach: 0.02)
        }
        let fanIn = Float(shape.dropFirst().reduce(1, *))
        let reach =
            name.contains("embeddings.") && shape.count == 3 ? 0.02 : (3 / fanIn).squareRoot()
        return values(count, seed: seed, center: 0, reach: reach)
    }

    private static func isScale(_ name: String) -> Bool {
        name.hasSuffix("weight") || name.hasSuffix("lambda1")
    }

    /// Numbers uniform in [center − reach, center + reach), a function of seed and index.
    static func values(_ count: Int, seed: UInt32, center: Float, reach: Float) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { target, filled in
            let scale = reach * 0x1p-31
            for index in 0..<count {
                var bits = UInt32(truncatingIfNeeded: index) &* 0x9E37_79B9 &+ seed
                bits = (bits ^ (bits >> 16)) &* 0x85EB_CA6B
                bits = (bits ^ (bits >> 13)) &* 0xC2B2_AE35
                target[index] = center + Float(Int32(bitPattern: bits ^ (bits >> 16))) * scale
            }
            filled = count
        }
    }

    /// The 32-bit FNV-1a digest of a name.
    private static func hash(_ name: String) -> UInt32 {
        name.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }
}
