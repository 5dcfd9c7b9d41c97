import PosedBackend
package import PosedProtos
package import PosedServing

extension Posed_V1_Model {
    /// A model that sessions can be made for.
    package init(_ model: ModelDescription) {
        self.init()
        name = model.name
        width = Int32(clamping: model.width)
        height = Int32(clamping: model.height)
        sizeMultiple = Int32(clamping: model.sizeMultiple)
        hiddenSize = Int32(clamping: model.hiddenSize)
        depth = Int32(clamping: model.depth)
        parameterCount = Int64(model.parameterCount)
        referenceAttention = model.hasReferenceAttention
        parts = model.parts.map { part in
            var placement = Posed_V1_PartPlacement()
            placement.part = Posed_V1_ModelPart(part.part)
            placement.device = part.device
            placement.dataType = Posed_V1_DataType(part.dtype)
            return placement
        }
        defaultSolver = model.defaultSolver
        defaultNfe = Int32(clamping: model.defaultEvaluations)
        defaultGuidanceScale = model.defaultGuidance
        fingerprint = model.fingerprint
        defaultModel = model.isDefault
    }
}

extension Posed_V1_Backend {
    /// A backend plugin that was found.
    package init(_ backend: BackendDescription) {
        self.init()
        name = backend.name
        status = Posed_V1_BackendStatus(backend.report.status)
        summary = backend.report.summary
        score = Int32(clamping: backend.report.score)
        version = backend.report.version
        inUse = backend.isInUse
    }
}

extension Posed_V1_BackendStatus {
    /// What the probe found.
    init(_ status: ProbeReport.Status) {
        self =
            switch status {
            case .usable: .usable
            case .unsuitable: .unsuitable
            case .incompatible: .incompatible
            case .crashed: .crashed
            }
    }
}

extension Posed_V1_Solver {
    /// A way to integrate the velocity.
    package init(_ solver: SolverDescription) {
        self.init()
        name = solver.name
        order = Int32(clamping: solver.order)
        evaluationsPerStep = Int32(clamping: solver.evaluationsPerStep)
        adaptive = solver.isAdaptive
        origin = solver.isBuiltIn ? .builtIn : .file
    }
}

extension Posed_V1_ModelPart {
    /// The part of a model that is placed as one.
    init(_ part: Placement.Part) {
        self =
            switch part {
            case .vae: .vae
            case .sourceEncoder: .sourceEncoder
            case .poseEncoder: .poseEncoder
            case .transformer: .transformer
            }
    }
}

extension Posed_V1_DataType {
    /// The type of a name such as `bf16`.
    init(_ name: String) {
        self =
            switch name {
            case "f32": .f32
            case "bf16": .bf16
            case "f16": .f16
            case "i8": .i8
            default: .unspecified
            }
    }
}
