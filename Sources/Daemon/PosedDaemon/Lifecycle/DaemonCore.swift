package import PosedSystemd
package import PosedTelemetry

/// What the daemon is built around: the engine, its compute loop, and the server in front of it.
///
/// The daemon calls these functions in order: `start`, then any number of `reload`, then `drain`, then
/// `stop`. `abandon` may come at any time after `start` was called, and so may the end of the process.
package protocol DaemonCore: Sendable {
    /// The pulse of the compute loop: a number that grows with its rounds, and stands still where it does.
    var pulse: UInt64 { get }

    /// What the core is doing.
    var statistics: CoreStatistics { get }

    /// Loads the model, opens the endpoints, and warms up; returns when the first frame can be served.
    ///
    /// - Throws: ``ConfigurationProblems`` for a configuration that does not suit the model; else an error
    ///   whose description says in one sentence why the daemon cannot serve.
    func start(_ configuration: DaemonConfiguration, _ context: CoreContext) async throws

    /// Throws when the core can no longer serve. Does not return before it has drained.
    func untilEnded() async throws

    /// Takes over what changed, and reads tokens and certificates anew: all of it, or, where it throws,
    /// nothing.
    func reload(_ configuration: DaemonConfiguration) async throws

    /// Refuses new calls, finishes those that were accepted, and returns how many could not be.
    func drain() async -> Int

    /// Cancels everything that is under way. Returns at once.
    func abandon()

    /// Releases everything.
    func stop() async
}

/// What a core is given when it starts.
package struct CoreContext: Sendable {
    /// What the service manager passed: listening sockets, which take the place of configured Unix sockets, and files
    /// that it kept for an earlier process.
    package var activated: [ListenDescriptor]
    /// The service manager.
    package var notifier: Notifier
    /// Where to count.
    package var metrics: DaemonMetrics
    /// Says what the core is at: `Loading the transformer`. Shown by `systemctl status`, and reason for the
    /// service manager to go on waiting.
    package var progress: @Sendable (String) -> Void

    /// A context from its parts.
    package init(
        activated: [ListenDescriptor], notifier: Notifier = .silent, metrics: DaemonMetrics,
        progress: @escaping @Sendable (String) -> Void
    ) {
        self.activated = activated
        self.notifier = notifier
        self.metrics = metrics
        self.progress = progress
    }
}

/// What a core is doing, for people.
package struct CoreStatistics: Sendable, Equatable {
    /// Where it can be reached: `unix:/run/posed/posed.sock`, `127.0.0.1:7443`.
    package var endpoints: [String] = []
    /// The model that it serves.
    package var model = ""
    /// Open sessions.
    package var sessions = 0
    /// Open streams.
    package var streams = 0
    /// Calls that are served.
    package var calls = 0
    /// Frames that wait.
    package var framesQueued = 0
    /// Frames that are computed.
    package var framesRunning = 0
    /// Frames that were delivered.
    package var framesCompleted = 0

    /// Nothing yet.
    package init() {}

    /// Frames that would be lost if the process ended now.
    package var framesOpen: Int { framesQueued + framesRunning }
}
