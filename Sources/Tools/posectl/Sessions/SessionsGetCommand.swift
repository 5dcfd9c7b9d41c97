import ArgumentParser
import PosedProtos

/// `posectl sessions get`.
struct SessionsGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "One session.",
        discussion: """
            EXAMPLES
              posectl sessions get sessions/… --json
            """)

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The session.")
    var session: SessionName

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try await Client(connection)
        var request = Posed_V1_GetSessionRequest()
        request.name = session.name
        let session = try await client.call(SessionMethods.get, request)
        if json { return try JSON.show(session) }
        SessionsCommand.table([session]).show()
    }
}
