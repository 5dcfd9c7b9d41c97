package import PosedRPC
package import SwiftProtobuf

/// The methods of `posed.v1.SessionService`.
package enum SessionMethods {
    /// The service's full name.
    package static let service = "posed.v1.SessionService"

    /// Encodes pictures of a person.
    package static let create =
        MethodDescriptor<Posed_V1_CreateSessionRequest, Posed_V1_Session>(service, "CreateSession")
    /// Says what a session is.
    package static let get =
        MethodDescriptor<Posed_V1_GetSessionRequest, Posed_V1_Session>(service, "GetSession")
    /// Lists the caller's sessions.
    package static let list =
        MethodDescriptor<Posed_V1_ListSessionsRequest, Posed_V1_ListSessionsResponse>(
            service, "ListSessions")
    /// Changes a session.
    package static let update =
        MethodDescriptor<Posed_V1_UpdateSessionRequest, Posed_V1_Session>(service, "UpdateSession")
    /// Ends a session.
    package static let delete =
        MethodDescriptor<Posed_V1_DeleteSessionRequest, Google_Protobuf_Empty>(
            service, "DeleteSession")
}
