import PosedProtos
import PosedRPC

/// Sessions that a command makes for itself, and ends.
struct TemporarySession {
    /// Makes sessions, runs `body` with their names, and ends them whatever happens.
    ///
    /// - Parameters:
    ///   - people: The pictures of each session, and the model that sees them.
    static func with<Value>(
        _ client: Client, _ people: [Posed_V1_Sources],
        _ body: ([String]) async throws -> Value
    ) async throws -> Value {
        var names: [String] = []
        do {
            for person in people {
                var request = Posed_V1_CreateSessionRequest(person)
                request.displayName = "posectl"
                // In a task of its own: of a call cut short nobody would know the session's name.
                let session = try await Task { [request] in
                    try await client.call(SessionMethods.create, request)
                }.value
                names.append(session.name)
                try Task.checkCancellation()
            }
            let value = try await body(names)
            await end(names, client)
            return value
        } catch {
            await end(names, client)
            throw error
        }
    }

    /// Ends sessions, in a task of its own so that a cancelled command ends them too. Those that are gone
    /// already are gone.
    private static func end(_ names: [String], _ client: Client) async {
        await Task {
            for name in names {
                var request = Posed_V1_DeleteSessionRequest()
                request.name = name
                _ = try? await client.channel.unary(
                    SessionMethods.delete, request, options: client.options(of: name))
            }
        }.value
    }
}
