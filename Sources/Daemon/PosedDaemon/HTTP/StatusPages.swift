package import PosedTelemetry

/// The pages of the daemon's HTTP side: what is asked for decides what is answered, and nothing else.
package struct StatusPages: Sendable {
    /// An answer.
    package struct Page: Hashable, Sendable {
        /// The status code.
        package var status: Int
        /// The media type.
        package var contentType: String
        /// The text.
        package var body: String

        /// What is said to a method that no page takes.
        static let methods = Page(
            status: 405, contentType: "text/plain; charset=utf-8",
            body: "The pages take GET and HEAD\n")
    }

    private let status: DaemonStatus
    private let registry: MetricsRegistry
    private let statistics: @Sendable () -> CoreStatistics
    private let version: String

    /// The pages of a daemon.
    package init(
        status: DaemonStatus, registry: MetricsRegistry, version: String,
        statistics: @escaping @Sendable () -> CoreStatistics
    ) {
        self.status = status
        self.registry = registry
        self.version = version
        self.statistics = statistics
    }

    /// The paths that there are.
    package static let paths = ["/", "/metrics", "/livez", "/readyz"]

    /// The page of a path.
    package func page(_ path: String) -> Page {
        switch path {
        case "/metrics":
            Page(status: 200, contentType: Exposition.contentType, body: registry.exposition())
        case "/livez": live
        case "/readyz": ready
        case "/": overview
        default: text(404, "There is no \(path); there are \(Self.paths.joined(separator: ", "))")
        }
    }

    /// 200 while the compute loop moves; 503 when only a restart can help.
    private var live: Page {
        guard let still = status.stalled else { return text(200, "live") }
        return text(503, "the compute loop has stood still for \(still.components.seconds) s")
    }

    /// 200 while requests are served.
    private var ready: Page {
        if status.isReady { return text(200, "ready") }
        if status.stalled != nil { return live }
        return text(503, "not ready: \(phase)")
    }

    private var phase: String {
        switch status.phase {
        case .starting: "starting"
        case .serving: "serving"
        case .reloading: "reloading"
        case .draining: "draining"
        case .stopped: "stopped"
        }
    }

    private func text(_ status: Int, _ body: String) -> Page {
        Page(status: status, contentType: "text/plain; charset=utf-8", body: body + "\n")
    }
}

extension StatusPages {
    /// What an operator with a browser wants to see.
    private var overview: Page {
        let facts = statistics()
        let rows: [(String, String)] = [
            ("State", status.stalled == nil ? phase : "stuck"), ("Detail", status.detail),
            ("Version", version), ("Model", facts.model),
            ("Endpoints", facts.endpoints.joined(separator: ", ")),
            ("Sessions", String(facts.sessions)), ("Streams", String(facts.streams)),
            ("Frames waiting", String(facts.framesQueued)),
            ("Frames computed now", String(facts.framesRunning)),
            ("Frames delivered", String(facts.framesCompleted)),
        ]
        let table = rows.filter { !$0.1.isEmpty }
            .map { "<tr><th>\($0.0)<td>\(Self.escaped($0.1))" }.joined(separator: "\n")
        let body = """
            <!doctype html>
            <html lang="en"><meta charset="utf-8"><title>posed</title>
            <style>body{font:1rem/1.5 system-ui;margin:2rem}th{text-align:left;padding-right:2rem}</style>
            <h1>posed</h1>
            <table>
            \(table)
            </table>
            <p><a href="/metrics">metrics</a> <a href="/livez">livez</a> <a href="/readyz">readyz</a>
            </html>

            """
        return Page(status: 200, contentType: "text/html; charset=utf-8", body: body)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
