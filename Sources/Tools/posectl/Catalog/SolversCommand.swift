import ArgumentParser
import PosedProtos

/// `posectl solvers`.
struct SolversCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "solvers",
        abstract: "The solvers that requests may name.",
        discussion: """
            EXAMPLES
              posectl solvers
            """)

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try await Client(connection)
        let response = try await client.call(
            CatalogMethods.listSolvers, Posed_V1_ListSolversRequest())
        if json { return try JSON.show(response) }
        Self.table(response.solvers).show()
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
