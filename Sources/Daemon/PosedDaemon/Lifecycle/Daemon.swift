internal import Logging
internal import PosedSystemd
package import PosedTelemetry

/// The daemon around its core: performs what ``Lifecycle`` decides.
package actor Daemon {
    /// How much more time the service manager gives at each sign of life, and how often one is sent.
    private static let grace: (length: Duration, period: Duration) = (.seconds(15), .seconds(5))

    /// Signs of life of a start without progress, half an hour of them.
    private static let mostSigns = 360
    /// How long seeing sessions written down may take where the daemon ends before its time.
    private static let lastWords = Duration.seconds(2)

    /// What the daemon is at.
    package nonisolated let status: DaemonStatus
    /// What it counts.
    package nonisolated let registry: MetricsRegistry

    let core: any DaemonCore
    let environment: DaemonEnvironment
    let metrics: DaemonMetrics
    let logger: Logger

    private let source: ConfigurationSource
    private var configuration: DaemonConfiguration
    private var lifecycle = Lifecycle()
    /// What goes on beside the loop of events, by number.
    private var tasks: [UInt64: Task<Void, Never>] = [:]
    private var lastTask: UInt64 = 0
    /// Signs of life that were sent since the start last told of its progress.
    private var signsSinceProgress = 0
    private nonisolated let events: AsyncStream<Lifecycle.Event>
    private nonisolated let inbox: AsyncStream<Lifecycle.Event>.Continuation

    /// A daemon that has not started.
    ///
    /// - Throws: `TelemetryError` where the registry has other metrics of the same names.
    package init(
        core: any DaemonCore, configuration: DaemonConfiguration, source: ConfigurationSource,
        environment: DaemonEnvironment, registry: MetricsRegistry = MetricsRegistry(),
        status: DaemonStatus = DaemonStatus()
    ) throws {
        self.core = core
        self.configuration = configuration
        self.source = source
        self.environment = environment
        self.registry = registry
        self.status = status
        metrics = try DaemonMetrics(registry)
        try ProcessMetrics.register(in: registry)
        try HeapPolicy.register(in: registry)
        metrics.buildInfo(environment.version).set(1)
        logger = environment.log.logger("posed")
        (events, inbox) = AsyncStream.makeStream()
        apply(configuration)
    }

    /// Tells the daemon of a signal.
    package nonisolated func receive(_ signal: DaemonSignal) {
        inbox.yield(.signal(signal))
    }

    /// Starts, serves, and ends; returns how.
    package func run() async -> DaemonExit {
        begin()
        var result = DaemonExit.failed
        loop: for await event in events {
            for action in lifecycle.handle(event) {
                if case .exit(let status) = action {
                    result = status
                    break loop
                }
                perform(action)
            }
            settle()
        }
        settle()
        for task in tasks.values { task.cancel() }
        // However it ended, sessions are seen written down; a disk that hangs does not keep the process.
        let (core, sleep) = (core, environment.sleep)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await core.stop() }
            if result != .drained { group.addTask { try? await sleep(Daemon.lastWords) } }
            await group.next()
            group.cancelAll()
        }
        return result
    }

    /// Starts the core.
    private func begin() {
        say([.status("Starting")])
        let (core, configuration, inbox) = (core, configuration, inbox)
        let context = CoreContext(
            activated: environment.activated, notifier: environment.notifier, metrics: metrics
        ) { [weak self] text in
            Task { [weak self] in await self?.report(progress: text) }
        }
        spawn {
            do {
                try await self.givingSigns(of: { try await core.start(configuration, context) })
            } catch let problems as ConfigurationProblems {
                let reasons = problems.list.map(\.description)
                inbox.yield(.startRefused(reasons.joined(separator: "; ")))
                return
            } catch {
                inbox.yield(.startFailed(String(describing: error)))
                return
            }
            inbox.yield(.started)
            do {
                try await core.untilEnded()
                inbox.yield(.left)
            } catch is CancellationError {
                // The daemon is ending, and ended the wait.
            } catch {
                inbox.yield(.ended(String(describing: error)))
            }
        }
    }

    /// Runs the start, and tells the service manager now and then that it goes on.
    private nonisolated func givingSigns(
        of start: @escaping @Sendable () async throws -> Void
    ) async throws {
        let sleep = environment.sleep
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while (try? await sleep(Daemon.grace.period)) != nil {
                    guard await self.reportStarting() else { return }
                }
            }
            defer { group.cancelAll() }
            try await start()
        }
    }

    /// Brings what others see up to date with the lifecycle.
    private func settle() {
        let before = status.phase
        status.phase = lifecycle.phase
        metrics.ready().set(status.isReady ? 1 : 0)
        guard before == .starting, lifecycle.phase != before else { return }
        if case .stopped = lifecycle.phase { return }
        let monitor = PulseMonitor(
            core: core, notifier: environment.notifier, watchdog: environment.watchdog,
            status: status, metrics: metrics, logger: logger, sleep: environment.sleep)
        spawn { await monitor.run() }
    }

    private func perform(_ action: Lifecycle.Action) {
        switch action {
        case .notify(let fields): say(fields)
        case .log(.notice, let text): logger.notice("\(text)")
        case .log(.warning, let text): logger.warning("\(text)")
        case .log(.error, let text): logger.error("\(text)")
        case .reload: reload()
        case .drain: drain()
        case .abandon: core.abandon()
        case .exit: break
        }
    }

    private func report(progress text: String) {
        guard lifecycle.phase == .starting else { return }
        signsSinceProgress = 0
        logger.info("\(text)")
        say([.status(text), .extendTimeout(Self.grace.length * 4)])
    }

    /// Tells the service manager that the start goes on, as loading from a slow disk can take minutes; false where
    /// it does not go on, or says nothing for so long that it hangs.
    private func reportStarting() -> Bool {
        guard lifecycle.phase == .starting, signsSinceProgress < Self.mostSigns else {
            return false
        }
        signsSinceProgress += 1
        say([.extendTimeout(Self.grace.length)])
        return true
    }

    private func say(_ fields: [NotifyField]) {
        if let text = fields.last(where: { $0.key == "STATUS" })?.value { status.detail = text }
        do {
            try environment.notifier.send(fields)
        } catch {
            logger.warning("The service manager could not be told", error: error)
        }
    }

    private func spawn(_ body: @escaping @Sendable () async -> Void) {
        lastTask += 1
        let number = lastTask
        tasks[number] = Task { [weak self] in
            await body()
            await self?.forget(number)
        }
    }

    private func forget(_ number: UInt64) { tasks[number] = nil }

    /// How much goes on beside the loop of events.
    package var openTasks: Int { tasks.count }
}

extension Daemon {
    /// Loads the configuration again; the old one stays unless everything about the new one is right.
    private func reload() {
        let (core, old, source, inbox) = (core, configuration, source, inbox)
        spawn {
            do {
                let new = try source.load()
                let changed = try old.changes(to: new)
                try await core.reload(new)
                await self.accept(new)
                inbox.yield(.reloaded(changed: changed))
            } catch {
                await self.refuse(error)
            }
        }
    }

    private func accept(_ new: DaemonConfiguration) {
        configuration = new
        metrics.reloads("applied").increment()
        apply(new)
    }

    private func refuse(_ error: any Error) {
        metrics.reloads("refused").increment()
        guard let problems = error as? ConfigurationProblems else {
            inbox.yield(.reloadRefused(String(describing: error)))
            return
        }
        for problem in problems.list { logger.error("\(problem)") }
        let more = problems.list.count - 1
        let first = problems.list.first?.description ?? ""
        inbox.yield(.reloadRefused(more > 0 ? "\(first) (and \(more) more)" : first))
    }

    /// Makes the settings that are the daemon's own take effect.
    private nonisolated func apply(_ configuration: DaemonConfiguration) {
        configuration.apply(to: environment.log, suited: environment.suitedLogFormat)
        status.stallTimeout = configuration[Settings.Operations.stallTimeout]
        for warning in configuration.warnings { logger.warning("\(warning)") }
    }

    /// Drains the core, gives up when the time is over, and keeps the service manager waiting meanwhile.
    private func drain() {
        let limit = configuration[Settings.Operations.drainTimeout]
        let (core, inbox, sleep) = (core, inbox, environment.sleep)
        spawn { inbox.yield(.drained(unfinished: await core.drain())) }
        spawn {
            guard (try? await sleep(limit)) != nil else { return }
            let left = core.statistics
            inbox.yield(.drainExpired(frames: left.framesOpen, calls: left.calls))
        }
        spawn {
            while await self.reportDraining() {
                guard (try? await sleep(Daemon.grace.period)) != nil else { return }
            }
        }
    }

    /// Tells the service manager that draining goes on; false where it does not.
    private func reportDraining() -> Bool {
        guard lifecycle.phase == .draining else { return false }
        let open = core.statistics.framesOpen
        say([
            .status("Draining; \(open) frames left"), .extendTimeout(Self.grace.length),
        ])
        return true
    }
}

extension DaemonConfiguration {
    /// Gives the log its level and form; `auto` stands for the form that is suited.
    func apply(to log: LogSink, suited: LogFormat) {
        log.level = self[Settings.Operations.logLevel]
        log.format =
            LogFormat(rawValue: self[Settings.Operations.logFormat].rawValue) ?? suited
    }
}
