import PosedProtos
import PosedRPC

/// Sessions that a command makes for itself, and ends.
struct TemporarySession {
    /// Makes sessions, runs `body` with their names, and ends them whatever happens.
    ///
    /// - Parameters:
    ///   - pictures: The pictures of each session.
    ///   - fit: How pictures of another aspect are brought to the model's.
    ///   - model: The model that they are made for; nil for the daemon's default.
    static func with<Value>(
        _ client: Client, pictures: [[Posed_V1_Image]], fit: Posed_V1_SourceFit = .unspecified,
        model: String?,
        _ body: ([String]) async throws -> Value
    ) async throws -> Value {
        var names: [String] = []
        do {
            for sources in pictures {
                var request = Posed_V1_CreateSessionRequest()
                request.sources = sources
                request.sourceFit = fit
                request.displayName = "posectl"
                if let model {
                    request.model = model.hasPrefix("models/") ? model : "models/" + model
                }
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
                    SessionMethods.delete, request, options: client.options)
            }
        }.value
    }
}
