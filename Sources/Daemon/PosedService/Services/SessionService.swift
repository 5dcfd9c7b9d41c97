import PosedAccounts
import PosedErrors
package import PosedProtos
package import PosedServing
package import SwiftProtobuf

/// `posed.v1.SessionService`.
package struct SessionService: Sendable {
    /// Sessions on a page where nobody says how many, and at most.
    private static let pageSizes = (usual: 50, most: 1000)

    private let serving: any Serving
    private let codec: PictureCodec

    /// The service, as `serving` does its work.
    package init(serving: any Serving, codec: PictureCodec) {
        self.serving = serving
        self.codec = codec
    }

    /// Encodes pictures of a person.
    package func create(
        _ request: Posed_V1_CreateSessionRequest, _ caller: Caller
    ) async throws -> Posed_V1_Session {
        let limits = serving.limits
        let read = try await codec.read(
            for: caller.account, request.sources.cost(maxSide: limits.maxSide)
        ) { try request.session(limits: limits) }
        defer { read.hold.release() }
        var session = read.value
        session.deadline = caller.deadline
        let new = session
        return try await RequestError.renaming(["settings": "default_settings"]) {
            Posed_V1_Session(try await serving.createSession(new, owner: caller.owner))
        }
    }

    /// Says what a session is.
    package func get(
        _ request: Posed_V1_GetSessionRequest, _ caller: Caller
    ) async throws -> Posed_V1_Session {
        let name = try ResourceName.session(request.name, at: "name")
        return try await RequestError.renaming(["session": "name"]) {
            Posed_V1_Session(try await serving.session(name, owner: caller.owner))
        }
    }

    /// Lists the caller's sessions.
    package func list(
        _ request: Posed_V1_ListSessionsRequest, _ caller: Caller
    ) async throws -> Posed_V1_ListSessionsResponse {
        let size = try FieldPath("page_size").checked(request.pageSize, in: 0...Int(Int32.max))
        let page = try await serving.sessions(
            owner: caller.owner,
            pageSize: size == 0 ? Self.pageSizes.usual : min(size, Self.pageSizes.most),
            pageToken: request.pageToken)
        var response = Posed_V1_ListSessionsResponse()
        response.sessions = page.sessions.map { Posed_V1_Session($0) }
        response.nextPageToken = page.nextPageToken
        return response
    }

    /// Changes a session.
    package func update(
        _ request: Posed_V1_UpdateSessionRequest, _ caller: Caller
    ) async throws -> Posed_V1_Session {
        let name = try ResourceName.session(request.session.name, at: "session.name")
        let changes = try request.changes(limits: serving.limits)
        return try await RequestError.renaming([
            "session": "session.name", "settings": "session.default_settings",
            "display_name": "session.display_name", "ttl": "session.ttl", "etag": "session.etag",
        ]) {
            Posed_V1_Session(
                try await serving.updateSession(name, changes, owner: caller.owner))
        }
    }

    /// Ends a session.
    package func delete(
        _ request: Posed_V1_DeleteSessionRequest, _ caller: Caller
    ) async throws -> Google_Protobuf_Empty {
        let name = try ResourceName.session(request.name, at: "name")
        try await RequestError.renaming(["session": "name"]) {
            try await serving.deleteSession(
                name, etag: request.etag.isEmpty ? nil : request.etag, owner: caller.owner)
        }
        return Google_Protobuf_Empty()
    }
}
