import ArgumentParser
import PosedProtos

/// `posectl sessions list`.
struct SessionsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The caller's sessions, the oldest first.",
        discussion: """
            EXAMPLES
              posectl sessions list
              posectl sessions list --json | jq -r '.sessions[].name'
            """)

    @OptionGroup var query: QueryOptions

    func run() async throws {
        let client = try await Client(query.connection)
        var all = Posed_V1_ListSessionsResponse()
        var request = Posed_V1_ListSessionsRequest()
        request.pageSize = 1000
        repeat {
            let page = try await client.call(SessionMethods.list, request)
            all.sessions += page.sessions
            // A daemon that sends one page for ever must not keep us.
            guard page.nextPageToken != request.pageToken else { break }
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        try query.show(all) { SessionsCommand.table($0.sessions) }
    }
}
