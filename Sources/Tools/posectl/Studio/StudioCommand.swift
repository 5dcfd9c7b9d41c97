import ArgumentParser
import PosedProtos
import PosedRPC

/// `posectl studio`.
struct StudioCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "studio",
        abstract: "Prints an address that opens the studio, a page for browsers.",
        discussion: """
            The address holds a ticket that is good once, within a minute. The browser may then do for \
            twelve hours what the caller of this command may do. The daemon's setting \
            http.api.address must say where it serves the studio.

            EXAMPLES
              posectl studio
              xdg-open "$(posectl studio)"
            """)

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let client = try await Client(connection)
        let ticket = try await client.call(
            ServerMethods.createStudioTicket, Posed_V1_CreateStudioTicketRequest())
        print(Text.line(ticket.address))
    }
}
