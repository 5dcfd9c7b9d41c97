package import PosedSystemd
package import PosedTelemetry

/// The world around the daemon, as its start found it; a test brings its own.
package struct DaemonEnvironment: Sendable {
    /// The service manager.
    package var notifier: Notifier
    /// The service manager's watchdog, if it has one.
    package var watchdog: WatchdogSettings?
    /// What the service manager passed: listening sockets, and files that it kept.
    package var activated: [ListenDescriptor]
    /// Waits; throws when its task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void
    /// The log.
    package var log: LogSink
    /// The form of the log that `auto` stands for.
    package var suitedLogFormat: LogFormat
    /// The version that the daemon reports.
    package var version: String

    /// A world from its parts.
    package init(
        notifier: Notifier = .silent, watchdog: WatchdogSettings? = nil,
        activated: [ListenDescriptor] = [], log: LogSink, suitedLogFormat: LogFormat = .text,
        version: String,
        sleep: @escaping @Sendable (Duration) async throws -> Void = {
            try await Task.sleep(for: $0)
        }
    ) {
        self.notifier = notifier
        self.watchdog = watchdog
        self.activated = activated
        self.log = log
        self.suitedLogFormat = suitedLogFormat
        self.version = version
        self.sleep = sleep
    }
}
