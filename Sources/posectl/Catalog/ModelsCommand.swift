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
            let parts = model.parts.map { "\($0.part) \($0.device)/\($0.dtype)" }
            table.add([
                model.name + (model.isDefault ? " (default)" : ""),
                "\(model.width)x\(model.height)",
                "\(Text.number(Double(model.parameterCount) / 1e6)) M", model.defaultSolver,
                "\(model.defaultNfe)", Text.number(model.defaultGuidanceScale, decimals: 2),
                parts.joined(separator: ", "),
            ])
        }
        return table
    }
}
