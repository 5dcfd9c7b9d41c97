import ArgumentParser
import PosedOptions
import PosedProtos
import PosedRPC

/// `posectl sessions delete`.
struct SessionsDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Ends sessions; frames under way are finished.",
        discussion: """
            Every session named is tried; the exit status is 0 if all of them were ended.

            EXAMPLES
              posectl sessions delete sessions/… sessions/…
            """)

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The sessions.")
    var sessions: [SessionName]

    func run() async throws {
        let client = try await Client(connection)
        var failed = 0
        for session in sessions {
            var request = Posed_V1_DeleteSessionRequest()
            request.name = session.name
            do {
                _ = try await client.call(
                    SessionMethods.delete, request, session: request.name)
            } catch let error as PosectlError {
                if sessions.count == 1 { throw error }
                Terminal.note(Text.line(error.message))
                failed += 1
            }
        }
        if failed > 0 {
            throw PosectlError(
                .refused, "\(failed) of \(sessions.count) sessions could not be ended")
        }
    }
}
