import ArgumentParser
import PosedProtos

/// `posectl models`.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "The models that sessions can be made for.",
        discussion: """
            EXAMPLES
              posectl models
              posectl models --json | jq -r '.models[].name'
            """)

    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(
            CatalogMethods.listModels, Posed_V1_ListModelsRequest()
        ) { Self.table($0.models) }
    }

    /// A line for each model.
    static func table(_ models: [Posed_V1_Model]) -> Table {
        var table = Table(
            ["NAME", "SIZE", "PARAMETERS", "SOLVER", "NFE", "GUIDANCE", "RUNS ON"],
            [.left, .right, .right, .left, .right, .right])
        for model in models {
            let parts = model.parts.map { "\($0.part.word) \($0.device)/\($0.dataType.word)" }
            table.add([
                model.name + (model.defaultModel ? " (default)" : ""),
                "\(model.width)x\(model.height)",
                "\(Text.number(Double(model.parameterCount) / 1e6)) M", model.defaultSolver,
                "\(model.defaultNfe)", Text.number(model.defaultGuidanceScale, decimals: 2),
                parts.joined(separator: ", "),
            ])
        }
        return table
    }
}

extension Posed_V1_ModelPart {
    /// The part in a table.
    fileprivate var word: String {
        switch self {
        case .vae: "vae"
        case .sourceEncoder: "source_encoder"
        case .poseEncoder: "pose_encoder"
        case .transformer: "transformer"
        case .unspecified, .UNRECOGNIZED: "part"
        }
    }
}

extension Posed_V1_DataType {
    /// The type in a table.
    fileprivate var word: String {
        switch self {
        case .f32: "f32"
        case .bf16: "bf16"
        case .f16: "f16"
        case .i8: "i8"
        case .unspecified, .UNRECOGNIZED: "?"
        }
    }
}

/// `posectl backends`.
struct BackendsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends",
        abstract: "The backend plugins that the daemon found, and whether they can be used.",
        discussion: """
            EXAMPLES
              posectl backends
            """)

    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(
            CatalogMethods.listBackends, Posed_V1_ListBackendsRequest()
        ) { Self.table($0.backends) }
    }

    /// A line for each backend.
    static func table(_ backends: [Posed_V1_Backend]) -> Table {
        var table = Table(["NAME", "STATUS", "SCORE", "VERSION", ""], [.left, .left, .right])
        for backend in backends {
            table.add([
                backend.name, Self.name(backend.status) + (backend.inUse ? ", in use" : ""),
                "\(backend.score)", backend.version, backend.summary,
            ])
        }
        return table
    }

    private static func name(_ status: Posed_V1_BackendStatus) -> String {
        switch status {
        case .unspecified: "unknown"
        case .usable: "usable"
        case .unsuitable: "unsuitable"
        case .incompatible: "incompatible"
        case .crashed: "crashed"
        case .UNRECOGNIZED(let number): "\(number)"
        }
    }
}

/// `posectl solvers`.
struct SolversCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "solvers",
        abstract: "The solvers that requests may name.",
        discussion: """
            EXAMPLES
              posectl solvers
            """)

    @OptionGroup var query: QueryOptions

    func run() async throws {
        try await query.show(
            CatalogMethods.listSolvers, Posed_V1_ListSolversRequest()
        ) { Self.table($0.solvers) }
    }

    /// A line for each solver.
    static func table(_ solvers: [Posed_V1_Solver]) -> Table {
        var table = Table(
            ["NAME", "ORDER", "EVALUATIONS A STEP", "STEPS", "FROM"], [.left, .right, .right])
        for solver in solvers {
            table.add([
                solver.name, "\(solver.order)", "\(solver.evaluationsPerStep)",
                solver.adaptive ? "fixed or adaptive" : "fixed",
                solver.origin == .builtIn ? "built-in" : "file",
            ])
        }
        return table
    }
}
