package import Logging
package import PosedBase
package import PosedTelemetry

/// The form of the log, as the configuration names it.
package enum LogChoice: String, Sendable, CaseIterable {
    /// What suits standard error: the journal, a terminal, or a file.
    case auto
    /// For the journal: priorities, no times.
    case journal
    /// For people.
    case text
    /// For machines: an object a line.
    case json
}

extension Settings {
    /// What an operator cares about.
    package enum Operations {
        package static let drainTimeout = Setting(
            "shutdown.drainTimeout", .duration(.zero...(.seconds(3600))), initial: .seconds(30),
            .reload, "How long accepted frames may take after the daemon is told to stop.")
        package static let httpAddress = Setting(
            "http.address", .optional(.address),
            initial: HostPort(host: "127.0.0.1", port: 9464), .restart,
            "Where /metrics, /livez and /readyz are served, to anyone who can connect; none for "
                + "nowhere.")
        package static let logLevel = Setting<Logger.Level>(
            "log.level", .choice, initial: .info, .reload,
            "The least grave lines that are written.")
        package static let logFormat = Setting<LogChoice>(
            "log.format", .choice, initial: .auto, .reload,
            "The form of the lines; auto takes the journal's, a terminal's or plain text.")
        package static let logAccess = Setting(
            "log.access", .flag, initial: false, .reload,
            "Whether every call gets a line when it has ended, a hundred a second at most.")
        package static let tracingEndpoint = Setting(
            "tracing.endpoint", .optional(.collector), initial: nil, .restart,
            "Where spans of calls and of frames' stages are sent to, by OTLP over HTTP; none for nowhere."
        )
        package static let stallTimeout = Setting(
            "watchdog.stallTimeout", .duration(.seconds(1)...(.seconds(3600))),
            initial: .seconds(30), .reload,
            "How long the compute loop may stand still before /livez reports it. It should be longer "
                + "than the slowest batch.")

        static let all: [any AnySetting] =
            [drainTimeout, httpAddress] + HTTP.all + [
                logLevel, logFormat, logAccess, tracingEndpoint, stallTimeout,
            ]
    }
}
