import PosedNN
package import PosedTensor
package import PosedWeights

/// A model of a flow's velocity, as sampling, scheduling and sessions see a transformer.
///
/// The inputs of a sampling run are split by their dependencies: `source` depends on the source pictures alone,
/// `pose` on the pose alone, `condition` joins the two, `modulations` adds the times, and `evaluate`
/// runs the network on the rows of a batch. Immutable once loaded; every call says which stream
/// computes.
package protocol VelocityModel: AnyObject, Sendable {
    /// Its sizes, and the inputs that it takes.
    var form: VelocityForm { get }

    /// The conversion between a state and its velocity and the network's input and output at a time of the
    /// flow, `form.start` to 1.
    func link(at time: Double) -> VelocityLink

    /// The standard deviation of the noise that a solve from noise begins with, at `time`.
    func noiseScale(at time: Double) -> Double

    /// Computes what depends on the sources alone.
    ///
    /// - Parameters:
    ///   - latents: Source latents, [S, h, w, C] float32; one where `form.usesEverySource` is false.
    ///   - embeddings: The source encoder's tokens, [S, T, F_s] float32.
    /// - Throws: `BackendError` when the device fails.
    func source(latents: Tensor, embeddings: Tensor, on compute: Compute) throws -> SourceCondition

    /// Computes what depends on the pose alone.
    ///
    /// - Parameters:
    ///   - latent: The pose picture's latent, [1, h, w, C] float32; nil where `form.usesPoseLatent`
    ///     is false.
    ///   - embedding: The pose encoder's tokens, [1, T, F_p] float32.
    /// - Throws: `ModelError` for a latent that is missing, `BackendError` when the device fails.
    func pose(latent: Tensor?, embedding: Tensor, on compute: Compute) throws -> PoseCondition

    /// Brings a source and a pose together.
    ///
    /// - Parameter vector: A condition [D] that takes the place of the model's own.
    /// - Throws: `ModelError` for conditions of another model, `BackendError` when the device fails.
    func condition(
        _ source: SourceCondition, _ pose: PoseCondition, vector: Tensor?, on compute: Compute
    ) throws -> RowCondition

    /// The condition of guidance's empty branch.
    ///
    /// - Throws: `BackendError` when the device fails.
    func emptyCondition(_ size: LatentSize, on compute: Compute) throws -> RowCondition

    /// The modulation vectors of every time and condition, in one product.
    ///
    /// - Parameters:
    ///   - times: Of the flow, `form.start` to 1.
    ///   - conditions: Condition vectors, [D] float32 each.
    /// - Returns: [conditions · times, `form.modulationSize`] float32, the times of a condition
    ///   together; scratch memory.
    /// - Throws: `BackendError` when the device fails.
    func modulations(times: [Double], of conditions: [Tensor], on compute: Compute) throws -> Tensor

    /// Runs the network on the rows of a batch: `slots.output` of everything else in `slots`. Captured
    /// once for each form of a batch.
    ///
    /// - Throws: `BackendError` when the device fails.
    func evaluate(_ slots: VelocitySlots, on compute: Compute) throws
}

extension VelocityModel {
    /// Brings a source and a pose together.
    package func condition(
        _ source: SourceCondition, _ pose: PoseCondition, on compute: Compute
    ) throws -> RowCondition {
        try condition(source, pose, vector: nil, on: compute)
    }

    /// The state that a solve begins with at `time`, of noise of deviation 1.
    package func initialState(of noise: [Float], at time: Double) -> [Float] {
        let scale = noiseScale(at: time)
        return scale == 1 ? noise : noise.map { Float(Double($0) * scale) }
    }
}

/// Height and width of a latent, in latent pixels.
package struct LatentSize: Sendable, Hashable {
    package var height: Int
    package var width: Int

    package init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }
}

/// The sizes of a velocity model, and the inputs that it takes.
package struct VelocityForm: Sendable, Equatable {
    /// The latent that it was trained on.
    package var latentSize: LatentSize
    /// Whether latents of other sizes are refused.
    package var isSizeFixed = false
    /// Side of a patch, in latent pixels.
    package var patchSize: Int
    /// Channels of a latent.
    package var channels: Int
    /// Width of a token and of the condition.
    package var hiddenSize: Int
    package var depth: Int
    /// Numbers in a row's modulation vector.
    package var modulationSize: Int
    /// Features of the source's and the pose's image encoders.
    package var sourceEncoderSize: Int
    package var poseEncoderSize: Int
    /// Whether a row may have keys and values of its source, [depth, 2, tokens, D].
    package var hasReference = false
    /// Whether all source pictures count, or the first alone.
    package var usesEverySource = true
    /// Whether it wants the pose picture's latent.
    package var usesPoseLatent = true
    /// Whether source and pose come to more than the condition's vector: to what is added to tokens, or
    /// attended to.
    package var conditionsTokens = true
    /// The time of the flow at which noise lies.
    package var start = 0.0
    /// Bytes of a source's condition without its reference: for every token of a latent, and besides.
    package var bytesPerToken = 0
    package var sourceBytes = 0

    /// Tokens of a latent.
    package func tokens(_ size: LatentSize) -> Int {
        size.height * size.width / (patchSize * patchSize)
    }
}

/// The conversion between a state z and its velocity and a network's input and output at one time: the input
/// is `input · z`, and the velocity is `state · z + output · network`.
package struct VelocityLink: Sendable, Equatable {
    package var input: Double
    package var state: Double
    package var output: Double

    /// The network sees the state and answers with the velocity.
    package static let direct = VelocityLink(input: 1, state: 0, output: 1)

    package init(input: Double, state: Double, output: Double) {
        self.input = input
        self.state = state
        self.output = output
    }

    /// The operation that writes a state to a row of a batch, both [B, h, w, C] float32.
    package func feed(_ z: Tensor, to row: Tensor) -> Operation {
        self == .direct ? .copy(z, to: row) : .combine([(Float(input), z)], into: row)
    }

    /// The operation that computes the velocity from a row's output and, with guidance, the empty branch's: all
    /// [B, h, w, C] float32.
    ///
    /// - Parameter z: The state that was fed.
    package func collect(
        _ guided: Tensor, plain: Tensor?, guidance: Double, of z: Tensor, into velocity: Tensor
    ) -> Operation {
        if self == .direct, plain == nil { return .copy(guided, to: velocity) }
        var terms: [(Float, Tensor)] = []
        if let plain {
            terms = [
                (Float(output * (1 - guidance)), plain), (Float(output * guidance), guided),
            ]
        } else {
            terms = [(Float(output), guided)]
        }
        if state != 0 { terms.append((Float(state), z)) }
        return .combine(terms, into: velocity)
    }
}

/// The part of a condition that only the model that made it reads.
package protocol ConditionContent: Sendable {
    /// Bytes of device memory held.
    var byteCount: Int { get }
}

/// What a model's detail decoder keeps of a source: pictures of one size, [H, W, 3] 8-bit, on the host.
package struct SourceDetail: Sendable {
    /// The first source picture.
    package let source: [UInt8]
    /// What the autoencoder makes of it.
    package let reconstruction: [UInt8]

    /// Both as given.
    package init(source: [UInt8], reconstruction: [UInt8]) {
        self.source = source
        self.reconstruction = reconstruction
    }

    /// Bytes that the detail of a picture of `pixels` takes.
    package static func byteCount(pixels: Int) -> Int { 6 * pixels }
}

/// The inputs that depend on the source alone.
package struct SourceCondition: Sendable {
    /// The latent's height and width.
    package let latentSize: LatentSize
    /// The model's own.
    let content: any ConditionContent
    /// What the detail decoder keeps of it; nil for models without one.
    package var detail: SourceDetail?

    /// Bytes of memory held, on the device and by the detail decoder.
    package var byteCount: Int {
        content.byteCount + (detail.map { $0.source.count + $0.reconstruction.count } ?? 0)
    }
}

/// The inputs that depend on the pose alone.
package struct PoseCondition: Sendable {
    /// The model's own.
    let content: any ConditionContent

    /// Bytes of device memory held.
    package var byteCount: Int { content.byteCount }
}

/// A source in a pose: the condition of one row of a batch.
package struct RowCondition: Sendable {
    package let latentSize: LatentSize
    /// The condition vector, [D] float32.
    package let vector: Tensor
    /// All of the input embedding but z_t's part, [N, D] float32.
    let base: Tensor
    /// Keys and values of the source, [depth, 2, tokens, D]; nil without.
    let reference: Tensor?
    /// What the detail decoder knows of the source; nil for models without one.
    package var detail: SourceDetail?

    /// The same with another vector.
    package func with(vector: Tensor) -> RowCondition {
        RowCondition(
            latentSize: latentSize, vector: vector, base: base, reference: reference, detail: detail
        )
    }

    /// Tokens of the reference; 0 without.
    package var referenceTokens: Int { reference?.shape[2] ?? 0 }
}

extension ConditionContent {
    /// The content of a condition as this model's own.
    ///
    /// - Throws: `ModelError` `.mismatch` for a condition that another model made.
    static func own(_ content: any ConditionContent) throws(ModelError) -> Self {
        guard let own = content as? Self else {
            throw ModelError(
                .mismatch, "a condition of this model expected, but one of another came")
        }
        return own
    }
}

/// The velocity models that a model's folder may have, selected by the class that `config.json` names.
package enum VelocityModels {
    /// The functions that read a class.
    private struct Entry: Sendable {
        let form: @Sendable (ConfigurationFile) throws -> VelocityForm
        let load: @Sendable (ConfigurationFile, WeightReader, Compute) throws -> Loaded
    }

    /// A model and the report of its weights.
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
