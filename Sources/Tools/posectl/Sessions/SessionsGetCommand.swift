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

    @OptionGroup var query: QueryOptions

    @Argument(help: "The session.")
    var session: SessionName

    func run() async throws {
        var request = Posed_V1_GetSessionRequest()
        request.name = session.name
        try await query.show(SessionMethods.get, request, session: request.name) {
            SessionsCommand.table([$0])
        }
    }
}
