internal import Logging
internal import PosedBackend
internal import PosedBase
internal import PosedGuarded
internal import PosedHTTP
internal import PosedRPC
internal import PosedService
package import PosedServing
package import PosedTelemetry

/// The daemon's inside: the engine room, the services, and the server in front of them.
package final class ServingCore: DaemonCore {
    /// What there is once it has started.
    struct Running: Sendable {
        let engine: ServingEngine
        let serving: ConfiguredServing
        let services: Services
        let server: Server
        /// The API and the studio over HTTP, where the configuration wants them.
        let http: APIServer?
        let access: AccessControl
        /// What is in force: that of the start, or of the last reload.
        var configuration: DaemonConfiguration
        /// Whether the daemon goes on without a device, or ends.
        var isLost = false
        /// The store of sessions that daemons share, where there is one.
        let store: SharedStore?
        /// Resident memory when nobody had called, in bytes.
        let idleMemory: Int
        /// Removes expired sessions and keeps gauges; cancelled at the end.
        let chores: [Task<Void, Never>]
    }

    let log: LogSink
    let logger: Logger
    private let made = ContinuousClock.now
    private let state = Guarded<Running?>(nil)

    /// A core that has not started.
    package init(log: LogSink) {
        self.log = log
        logger = log.logger("posed")
    }

    /// What there is; nil before the start.
    var running: Running? { state.withLock { $0 } }

    /// Takes note that it has started.
    func adopt(_ running: Running) { state.withLock { $0 = running } }

    /// Takes note of the configuration that is in force now.
    func adopt(_ configuration: DaemonConfiguration) {
        state.withLock { $0?.configuration = configuration }
    }

    /// Tells gRPC's health service, and those who watch it, whether frames are computed: not where a lane stands
    /// still for longer than `watchdog.stallTimeout`, nor where the daemon ends for a lost device.
    package func updateHealth() {
        guard let running else { return }
        let silence = running.engine.heartbeat.duration(to: .now)
        let isStuck = silence > running.configuration[Settings.Operations.stallTimeout]
        running.services.health.set(isStuck || running.isLost ? .notServing : .serving)
    }

    /// Grows while the compute loop goes round: nanoseconds from this core's making to its latest round.
    package var pulse: UInt64 {
        guard let running else { return 0 }
        let age = made.duration(to: running.engine.heartbeat)
        return UInt64(clamping: age.units(perSecond: 1_000_000_000))
    }

    package var statistics: CoreStatistics {
        guard let running else { return CoreStatistics() }
        let engine = running.engine.statistics
        var statistics = CoreStatistics()
        statistics.endpoints = running.server.boundEndpoints.map(Self.text)
        statistics.model = running.engine.models.first?.name ?? ""
        statistics.sessions = engine.sessions
        statistics.streams = engine.openStreams
        statistics.calls = running.server.liveCalls + (running.http?.liveCalls ?? 0)
        statistics.framesQueued = engine.framesQueued
        statistics.framesRunning = engine.framesRunning
        statistics.framesCompleted = engine.framesCompleted
        return statistics
    }

    package func untilEnded() async throws {
        guard let running else { return }
        // Nil: the server has stopped.
        let (ends, end) = AsyncStream.makeStream(of: BackendError?.self)
        let watchers = [
            Task {
                await running.server.stopped()
                end.yield(nil)
            },
            Task {
                for await loss in running.engine.losses where await self.ends(after: loss) {
                    end.yield(loss.error)
                }
            },
        ]
        defer { for watcher in watchers { watcher.cancel() } }
        for await cause in ends {
            if let cause { throw cause }
            return
        }
        throw CancellationError()
    }

    /// Says that a device is lost, and drains the others where the configuration wants that.
    ///
    /// - Returns: Whether the daemon is to end.
    package func ends(after loss: LaneLoss) async -> Bool {
        guard let running else { return true }
        let policy = running.configuration[Settings.Model.deviceLoss]
        if loss.lanesLeft == 0 || policy == .drain {
            state.withLock { $0?.isLost = true }
            updateHealth()
        }
        guard loss.lanesLeft > 0 else { return true }
        logger.error(
            """
            Copy \(loss.lane + 1) of the model lost its device: \(loss.error.message); \(loss.lanesLeft) left, \
            \(policy == .drain ? "draining" : "going on")
            """)
        guard policy == .drain else { return false }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await self.drain() }
            let limit = running.configuration[Settings.Operations.drainTimeout]
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            // Whoever still waits after this is told that the daemon is gone.
            self.abandon()
            group.cancelAll()
        }
        return true
    }

    package func drain() async -> Int {
        guard let running else { return 0 }
        running.services.beginDraining()
        running.server.beginGracefulShutdown()
        running.http?.beginGracefulShutdown()
        await running.server.stopped()
        await running.http?.stopped()
        // Nobody is left who could wait for a frame.
        let statistics = running.engine.statistics
        return statistics.framesQueued + statistics.framesRunning
    }

    package func abandon() {
        running?.server.cancelAll()
        running?.http?.cancelAll()
    }

    package func stop() async {
        guard let running else { return }
        for chore in running.chores { chore.cancel() }
        running.server.cancelAll()
        running.http?.cancelAll()
        await running.engine.shutDown()
        await running.store?.shutDown()
    }

    private static func text(_ endpoint: BoundEndpoint) -> String {
        switch endpoint {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): "\(HostPort(host: host, port: port))"
        case .listener(let descriptor): "descriptor \(descriptor)"
        }
    }
}
