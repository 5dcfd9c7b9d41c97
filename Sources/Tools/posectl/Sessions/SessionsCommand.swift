import ArgumentParser
import Foundation
import PosedProtos
import SwiftProtobuf

/// `posectl sessions`.
struct SessionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "People's pictures, encoded once for pose after pose.",
        subcommands: [
            SessionsCreateCommand.self, SessionsGetCommand.self, SessionsListCommand.self,
            SessionsUpdateCommand.self, SessionsDeleteCommand.self,
        ],
        defaultSubcommand: SessionsListCommand.self)

    /// A line for each session.
    static func table(_ sessions: [Posed_V1_Session], now: Date = Date()) -> Table {
        var table = Table(
            ["NAME", "FOR PEOPLE", "MODEL", "PICTURES", "BYTES", "FRAMES", "LAST USED", "ENDS IN"],
            [.left, .left, .left, .right, .right, .right, .right, .right])
        for session in sessions {
            let used = now.timeIntervalSince(session.lastUseTime.date)
            let left = session.expireTime.date.timeIntervalSince(now)
            table.add([
                session.name, session.displayName, session.model, "\(session.sourceCount)",
                Text.bytes(session.conditioningBytes), "\(session.frameCount)",
                Text.span(seconds: used) + " ago", Text.span(seconds: left),
            ])
        }
        return table
    }
}
