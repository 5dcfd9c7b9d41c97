import Logging
import PosedDaemon
import PosedGuarded
import PosedRPC
import PosedTelemetry
import Testing

struct CallTelemetryTests {
    /// Lines as `level: message [withheld]`.
    private final class Lines: Sendable {
        let all = Guarded<[String]>([])
    }

    private struct Recorder: Logging.LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let withheld = event.metadata?["withheld"].map { " [\($0)]" } ?? ""
            lines.all.withLock { $0.append("\(event.level): \(event.message)\(withheld)") }
        }
    }

    private let lines = Lines()
    private let registry = MetricsRegistry()

    private func telemetry(lines count: Int) throws -> CallTelemetry {
        CallTelemetry(
            try DaemonMetrics(registry), methods: ["/a/B"],
            logger: Logger(label: "calls") { [lines] _ in Recorder(lines: lines) },
            quota: LogQuota(lines: count, period: .seconds(3600)))
    }

    private func call(_ telemetry: CallTelemetry, _ error: any Error) async {
        let request = ServerRequest(
            id: "1", method: "/a/B", peer: Peer(address: .tcp("192.0.2.1:1"), certificate: nil))
        let thrown = await #expect(throws: (any Error).self) {
            let context = ServerContext(request, try Admission.everybody()(request))
            try await telemetry.interceptor(request, context) { throw error }
        }
        #expect(thrown != nil)
    }

    @Test func whatClientsDoAllDayIsADetailAndIsCounted() async throws {
        let telemetry = try telemetry(lines: 0)
        for _ in 0..<3 {
            await call(telemetry, RPCError(.cancelled, "cancelled"))
            await call(telemetry, RPCError(.deadlineExceeded, "late"))
        }
        let expected = ["debug: cancelled", "debug: late"]
        #expect(lines.all.withLock { $0 } == expected + expected + expected)
        let counted = registry.exposition().split(separator: "\n").filter { $0.hasSuffix(" 3") }
        #expect(counted.contains { $0.contains("CANCELLED") })
        #expect(counted.contains { $0.contains("DEADLINE_EXCEEDED") })
    }

    @Test func callsThatWereTurnedAwayAreCountedAndLogged() throws {
        let telemetry = try telemetry(lines: 1)
        let request = ServerRequest(
            id: "1", method: "/a/B", peer: Peer(address: .tcp("192.0.2.1:1"), certificate: nil))
        for _ in 0..<3 {
            telemetry.refused(request, RPCError(.resourceExhausted, "too many"))
        }
        #expect(lines.all.withLock { $0 } == ["info: too many"])
        let counted = registry.exposition().split(separator: "\n").filter { $0.hasSuffix(" 3") }
        #expect(counted.contains { $0.contains("RESOURCE_EXHAUSTED") })
    }

    @Test func callersMistakesDoNotFillTheLog() async throws {
        let telemetry = try telemetry(lines: 2)
        for number in 0..<100 { await call(telemetry, RPCError(.invalidArgument, "no. \(number)")) }
        #expect(lines.all.withLock { $0 } == ["info: no. 0", "info: no. 1"])
    }

    @Test func defectsAreErrorsEachOfThem() async throws {
        let telemetry = try telemetry(lines: 0)
        struct Defect: Error {}
        for _ in 0..<2 { await call(telemetry, RPCError(.internal, "broken", cause: Defect())) }
        #expect(
            lines.all.withLock { $0 } == ["error: broken (Defect())", "error: broken (Defect())"])
    }
}
