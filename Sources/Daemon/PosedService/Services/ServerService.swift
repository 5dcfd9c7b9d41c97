package import Foundation
package import PosedProtos
package import PosedServing
import SwiftProtobuf

/// `posed.v1.ServerService`.
package struct ServerService: Sendable {
    /// What the daemon says of itself that the engine does not know.
    package struct Facts: Sendable {
        package var version: String
        package var started: Date
        package var maxMessageBytes: Int

        /// As given.
        package init(version: String, started: Date, maxMessageBytes: Int) {
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
}
