package import PosedTensor

/// A model of a flow's velocity: what sampling, scheduling and sessions know of a transformer.
///
/// What a sampling run needs is split by what it depends on: `source` on the source pictures alone,
/// `pose` on the pose alone, `condition` joins the two, `modulations` adds the times, and `evaluate`
/// runs the network on the rows of a batch. Immutable once loaded; every call says which stream
/// computes.
package protocol VelocityModel: AnyObject, Sendable {
    /// Its sizes, and what it wants to be given.
    var form: VelocityForm { get }

    /// Bytes of packed weights on the device.
    var byteCount: Int { get }

    /// What the network's input and output are to a state and its velocity at a time of the flow,
    /// `form.start` to 1.
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

    /// A source's condition of the tensors that an equal model's had.
    ///
    /// - Throws: `ModelError` for tensors that no source of this size has.
    func source(_ size: LatentSize, tensors: [Tensor?]) throws(ModelError) -> SourceCondition

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

    /// What time and condition do to the blocks, for every time and condition, in one product.
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

/// The sizes of a velocity model, and what it wants to be given.
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

/// What a network's input and output are to a state z and its velocity at one time: the network sees
/// `input · z`, and the velocity is `state · z + output · network`.
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

    /// What brings a state to a row of a batch, both [B, h, w, C] float32.
    package func feed(_ z: Tensor, to row: Tensor) -> Operation {
        self == .direct ? .copy(z, to: row) : .combine([(Float(input), z)], into: row)
    }

    /// What makes the velocity of a row's output and, with guidance of a scale, of the empty branch's:
    /// all [B, h, w, C] float32.
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
