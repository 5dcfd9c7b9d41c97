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

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try await Client(connection)
        let response = try await client.call(
            CatalogMethods.listModels, Posed_V1_ListModelsRequest())
        if json { return try JSON.show(response) }
        Self.table(response.models).show()
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
