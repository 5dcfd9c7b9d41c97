import ArgumentParser
import PosedProtos
import PosedRPC
import SwiftProtobuf

/// `posectl status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "What the daemon is and what it is doing.",
        discussion: """
            EXAMPLES
              posectl status
              posectl status --json | jq .statistics.frames_completed
            """)

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try await Client(connection)
        let info = try await client.call(ServerMethods.getInfo, Posed_V1_GetServerInfoRequest())
        let statistics = try await client.call(
            ServerMethods.getStatistics, Posed_V1_GetStatisticsRequest())
        let health = try await client.call(
            HealthMethods.check, Grpc_Health_V1_HealthCheckRequest()
        ).status
        if json {
            var options = JSONEncodingOptions()
            options.preserveProtoFieldNames = true
            let parts = [
                "\"health\":\"\(HealthCommand.name(health))\"",
                "\"info\":\(try info.jsonString(options: options))",
                "\"statistics\":\(try statistics.jsonString(options: options))",
            ]
            print("{\(parts.joined(separator: ","))}")
            return
        }
        let address = try connection.address ?? .inherited()
        print(
            "posed \(Text.line(info.version)) at \(address), \(HealthCommand.name(health)), up "
                + Text.span(seconds: statistics.uptime.timeInterval))
        Self.table(info, statistics).show()
    }

    /// What the daemon tells, line by line.
    static func table(_ info: Posed_V1_ServerInfo, _ now: Posed_V1_Statistics) -> Table {
        var table = Table([])
        table.add(["you are", info.identity])
        table.add([
            "sessions",
            "\(now.sessions) of \(info.limits.maxSessions), \(Text.bytes(now.sessionBytes)) of "
                + Text.bytes(info.limits.maxSessionBytes),
        ])
        table.add([
            "now",
            "\(now.openStreams) streams, \(now.framesQueued) frames queued, \(now.framesRunning) "
                + "running",
        ])
        table.add([
            "frames",
            "\(now.framesCompleted) completed, \(now.framesFailed) failed, \(now.framesCancelled) "
                + "cancelled, \(now.framesSuperseded) superseded",
        ])
        table.add(["", "\(now.framesLate) late, \(now.framesReduced) with fewer evaluations"])
        let rows = now.batches == 0 ? "–" : Text.number(Double(now.batchRows) / Double(now.batches))
        table.add(["batches", "\(now.batches), \(rows) rows each"])
        for (name, cache) in [("sources", now.sourceCache), ("poses", now.poseCache)] {
            let asked = cache.hits + cache.misses
            table.add([
                "cache of \(name)",
                "\(Text.share(cache.hits, of: asked)) of \(asked) found, \(cache.entries) kept, "
                    + Text.bytes(cache.bytes),
            ])
        }
        return table
    }
}
