import PosedScheduling
import PosedBackend
import PosedModels
package import PosedPipeline
import PosedTensor
package import PosedVision

/// What the engine room knows of a model, without the model.
package struct ServedModel: Sendable {
    package var description: ModelDescription
    package var sampler: SamplerDefaults
    /// How it wants pictures of another aspect.
    package var framing = PictureFraming()
    /// Where and how the velocity is computed, such as `onednn/bf16`.
    package var numerics: String
    /// Everything that encoded sources and poses depend on but content and size: backends and types of all
    /// parts, and the fingerprint.
    package var identity: String
    /// How poses are drawn for it.
    package var poseDrawer = PoseDrawer()
    /// Bytes of a source's conditioning for every pixel of a picture made, and of each source besides.
    package var bytesPerPixel: Double
    package var bytesPerSourcePixel: Double
    /// And besides.
    package var sourceBytes: Int
    /// Why pictures of a width and a height cannot be made; nil where they can.
    let sizeProblem: @Sendable (_ width: Int, _ height: Int) -> PoseModel.SizeProblem?

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
        sourceBytes = 0
        sizeProblem = { _, _ in nil }
    }

    /// A loaded model.
    ///
    /// - Parameters:
    ///   - name: as in `models/{name}`.
    ///   - fingerprint: of its weights and configuration.
    /// - Throws: `BackendError` when a device does not answer.
    package init(_ name: String, _ model: PoseModel, fingerprint: String) throws {
        let form = model.transformer.form
        let streams = model.streams
        var description = ModelDescription()
        description.name = "models/" + name
        (description.width, description.height) = model.pictureSize
        description.sizeMultiple = model.sizeMultiple
        description.hiddenSize = form.hiddenSize
        description.depth = form.depth
        description.parameterCount = model.parameterCount
        description.hasReferenceAttention = form.hasReference
        description.isSizeFixed = form.isSizeFixed
        description.usesEverySource = form.usesEverySource
        description.parts = Placement.Part.allCases.map {
            ModelDescription.Part(
                part: $0, device: streams[$0].device.selection.description,
                dtype: streams.type(of: $0).name)
        }
        description.defaultSolver = model.sampler.solver
        description.defaultSteps = model.sampler.steps
        description.defaultLastStepFirstOrder = model.sampler.lastStepFirstOrder
        description.defaultGuidance = model.sampler.guidance
        description.fingerprint = fingerprint
        self.description = description
        sampler = model.sampler
        framing = model.framing
        poseDrawer = model.poseDrawer
        func numerics(_ part: Placement.Part) throws -> String {
            let device = streams[part].device
            let type = streams.type(of: part).name
            return try "\(device.plugin.name)/\(device.info().numerics)/\(type)"
        }
        self.numerics = try numerics(.transformer)
        identity =
            try Placement.Part.allCases.map(numerics).joined(separator: " ") + " " + fingerprint
        sizeProblem = { model.problem(width: $0, height: $1) }
        let step = Double(description.sizeMultiple)
        bytesPerPixel = Double(form.bytesPerToken) / (step * step)
        if model.detailDecoder != nil {
            bytesPerPixel += Double(SourceDetail.byteCount(pixels: 1))
        }
        bytesPerSourcePixel =
            form.hasReference
            ? Double(2 * form.depth * form.hiddenSize)
                * Double(streams.transformer.precision.size) / (step * step) : 0
        sourceBytes = form.sourceBytes
    }

    /// The model's own size, and how much more a picture of another size costs than one of that.
    ///
    /// Stages take time by pixels. An evaluation takes it by tokens: products with weights once for each, and
    /// attention once for each pair.
    func likeness(of form: LaneForm) -> CostModel<LaneForm>.Likeness {
        var own = form
        (own.width, own.height) = (description.width, description.height)
        let step = Double(max(1, description.sizeMultiple))
        func tokens(_ form: LaneForm) -> Double {
            Double(form.width * form.height) / (step * step)
        }
        func work(_ tokens: Double) -> Double {
            tokens * (6 * Double(description.hiddenSize) + tokens)
        }
        return CostModel<LaneForm>.Likeness(
            form: own, stages: tokens(form) / tokens(own),
            evaluations: work(tokens(form)) / work(tokens(own)))
    }

    /// Bytes that a source's conditioning will take, about.
    func conditioningBytes(width: Int, height: Int, sources: Int) -> Int {
        let pixels = Double(width * height)
        return Int(pixels * (bytesPerPixel + Double(sources) * bytesPerSourcePixel)) + sourceBytes
    }
}
