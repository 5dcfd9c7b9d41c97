package import Foundation
import PosedErrors
package import PosedProtos
package import PosedRPC
package import PosedServing
import SwiftProtobuf

/// `posed.v1.ServerService`.
package struct ServerService: Sendable {
    /// What the daemon says of itself that the engine does not know.
    package struct Facts: Sendable {
        package var version: String
        package var started: Date
        package var maxMessageBytes: Int
        /// Makes an address that opens the studio for an identity; nil where there is no studio.
        package var studio: (@Sendable (Identity) -> String)?

        /// As given.
        package init(
            version: String, started: Date, maxMessageBytes: Int,
            studio: (@Sendable (Identity) -> String)? = nil
        ) {
            self.studio = studio
            self.version = version
            self.started = started
            self.maxMessageBytes = maxMessageBytes
        }
    }

    private let serving: any Serving
    private let facts: Facts

    /// The service of a daemon of which these facts are true.
    package init(serving: any Serving, facts: Facts) {
        self.serving = serving
        self.facts = facts
    }

    /// Says what the daemon is and allows.
    package func info(_ caller: Caller) -> Posed_V1_ServerInfo {
        var info = Posed_V1_ServerInfo()
        info.version = facts.version
        info.startTime = Google_Protobuf_Timestamp(date: facts.started)
        info.identity = caller.owner
        info.limits = Posed_V1_Limits(serving.limits, maxMessageBytes: facts.maxMessageBytes)
        return info
    }

    /// Says what the daemon does for the caller; an administrator is told of all callers together.
    package func statistics(_ caller: Caller) -> Posed_V1_Statistics {
        Posed_V1_Statistics(
            caller.isAdministrator ? serving.statistics : serving.statistics(of: caller.owner))
    }

    /// Makes an address that opens the studio for the caller.
    package func studioTicket(_ identity: Identity) throws -> Posed_V1_StudioTicket {
        guard let studio = facts.studio else {
            throw RequestError(
                .failedPrecondition,
                "the daemon serves no studio; its setting http.api.address says where it would")
        }
        return .with { $0.address = studio(identity) }
    }
}
