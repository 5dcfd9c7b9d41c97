import ArgumentParser
import PosedProtos

/// `posectl backends`.
struct BackendsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends",
        abstract: "The backend plugins that the daemon found, and whether they can be used.",
        discussion: """
            EXAMPLES
              posectl backends
            """)

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try await Client(connection)
        let response = try await client.call(
            CatalogMethods.listBackends, Posed_V1_ListBackendsRequest())
        if json { return try JSON.show(response) }
        Self.table(response.backends).show()
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
