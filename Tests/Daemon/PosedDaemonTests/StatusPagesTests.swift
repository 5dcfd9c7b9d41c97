internal import Foundation
internal import Logging
internal import PosedBase
internal import PosedDaemon
internal import PosedGuarded
internal import PosedTelemetry
internal import Testing

@Suite("The pages over HTTP")
struct StatusPagesTests {
    private static func pages(
        _ status: DaemonStatus, _ statistics: CoreStatistics = CoreStatistics()
    ) throws -> StatusPages {
        let registry = MetricsRegistry()
        try DaemonMetrics(registry).frames("completed").increment()
        return StatusPages(status: status, registry: registry, version: "1.2.3") { statistics }
    }

    @Test("say whether requests are served")
    func readiness() throws {
        let status = DaemonStatus()
        let pages = try Self.pages(status)
        let phases: [(Lifecycle.Phase, Int, String)] = [
            (.starting, 503, "not ready: starting\n"), (.serving, 200, "ready\n"),
            (.reloading, 200, "ready\n"), (.draining, 503, "not ready: draining\n"),
            (.stopped(.drained), 503, "not ready: stopped\n"),
        ]
        for (phase, code, body) in phases {
            status.phase = phase
            #expect(pages.page("/readyz").status == code)
            #expect(pages.page("/readyz").body == body)
            #expect(pages.page("/livez").body == "live\n")
        }
    }

    @Test("say whether the compute loop moves")
    func liveness() throws {
        let now = Guarded(ContinuousClock.now)
        let status = DaemonStatus(now: { now.withLock { $0 } })
        status.stallTimeout = .seconds(10)
        status.phase = .serving
        let pages = try Self.pages(status)
        now.withLock { $0 += .seconds(100) }
        #expect(pages.page("/livez").status == 200)  // nothing is watched yet
        status.progressed()
        now.withLock { $0 += .seconds(10) }
        #expect(pages.page("/livez").status == 200)
        now.withLock { $0 += .seconds(1) }
        let still = "the compute loop has stood still for 11 s\n"
        #expect(pages.page("/livez").status == 503)
        #expect(pages.page("/livez").body == still)
        #expect(pages.page("/readyz").status == 503)
        #expect(pages.page("/readyz").body == still)
        status.progressed()
        #expect(pages.page("/readyz").status == 200)
    }

    @Test("show metrics, and an overview that no name can break")
    func overview() throws {
        var statistics = CoreStatistics()
        statistics.model = "models/<script>alert(\"&\")</script>"
        statistics.sessions = 41
        let pages = try Self.pages(DaemonStatus(), statistics)
        #expect(pages.page("/metrics").contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(pages.page("/metrics").body.contains("posed_frames_total{outcome=\"completed\"} 1"))
        let overview = pages.page("/").body
        #expect(overview.contains("models/&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;"))
        #expect(overview.contains("<tr><th>Sessions<td>41"))
        #expect(!overview.contains("<script>"))
        #expect(pages.page("/nothing").status == 404)
    }

    @Test("are served over HTTP/1.1")
    func live() async throws {
        let status = DaemonStatus()
        status.phase = .serving
        let (ports, port) = AsyncStream<Int>.makeStream()
        let server = StatusServer(
            address: HostPort(host: "127.0.0.1", port: 0), pages: try Self.pages(status),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { port.yield($0) }
        let task = Task { try await server.run() }
        var iterator = ports.makeAsyncIterator()
        let number = try #require(await iterator.next())

        let metrics = await Self.exchange(number, "GET /metrics HTTP/1.1")
        #expect(metrics.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(metrics.contains("text/plain; version=0.0.4; charset=utf-8"))
        #expect(metrics.contains("posed_frames_total{outcome=\"completed\"} 1\n"))
        let head = await Self.exchange(number, "HEAD /readyz HTTP/1.1")
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.hasSuffix("\r\n\r\n"))
        #expect(await Self.exchange(number, "GET /etc/passwd HTTP/1.1").hasPrefix("HTTP/1.1 404"))
        #expect(await Self.exchange(number, "POST /metrics HTTP/1.1").hasPrefix("HTTP/1.1 405"))
        #expect(await Self.exchange(number, "\u{1}garbage").hasPrefix("HTTP/1.1 200") == false)
        task.cancel()
        _ = try? await task.value
    }

    @Test("end connections that say nothing or half of it, and answer whoever asks meanwhile")
    func silent() async throws {
        let status = DaemonStatus()
        status.phase = .serving
        let (ports, port) = AsyncStream<Int>.makeStream()
        let server = StatusServer(
            address: HostPort(host: "127.0.0.1", port: 0), pages: try Self.pages(status),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            idleTime: .seconds(2)
        ) { port.yield($0) }
        let task = Task { try await server.run() }
        var iterator = ports.makeAsyncIterator()
        let number = try #require(await iterator.next())
        let crowd = (0..<40).compactMap { _ in TCPExchange.connection(port: number) }
        #expect(crowd.count == 40)
        let answer = await Self.exchange(number, "GET /livez HTTP/1.1")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        // Each of the others is closed, some at once for newer ones.
        for (index, connection) in crowd.enumerated() {
            let said = await withCheckedContinuation {
                (continuation: CheckedContinuation<String, Never>) in
                Thread.detachNewThread {
                    let half = index.isMultiple(of: 2) ? "" : "GET /livez HT"
                    continuation.resume(returning: TCPExchange.finish(connection, half))
                }
            }
            #expect(!said.hasPrefix("HTTP/1.1 200"))
        }
        task.cancel()
        _ = try? await task.value
    }

    /// One request and its answer, on a thread of its own.
    private static func exchange(_ port: Int, _ line: String) async -> String {
        await withCheckedContinuation { (continuation: CheckedContinuation<String, Never>) in
            Thread.detachNewThread {
                let text = "\(line)\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                continuation.resume(returning: TCPExchange.run(port: port, text))
            }
        }
    }
}
