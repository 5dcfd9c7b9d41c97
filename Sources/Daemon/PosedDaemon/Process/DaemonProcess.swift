internal import CPosedVersion
internal import Foundation
internal import Logging
internal import PosedBase
internal import PosedRPC
package import PosedSystemd
package import PosedTelemetry
internal import ServiceLifecycle
internal import Tracing

/// A process that is a daemon: its log, its configuration, its signals, its pages, and the daemon itself.
package struct DaemonProcess: Sendable {
    private let source: ConfigurationSource
    private let environment: [String: String]
    private let activated: Result<[ListenDescriptor], SystemdError>
    private let log: LogSink
    private let suited: LogFormat
    private let logger: Logger

    /// A process with the environment and the descriptors that it was started with.
    ///
    /// - Parameter activated: what `ListenDescriptors.take()` gave, before there was a second thread.
    package init(
        source: ConfigurationSource, environment: [String: String],
        activated: Result<[ListenDescriptor], SystemdError>, stderr: Int32 = STDERR_FILENO
    ) {
        self.source = source
        self.environment = environment
        self.activated = activated
        suited = LogFormat.suited(to: stderr, environment: environment)
        log = LogSink(descriptor: stderr, format: suited)
        logger = log.logger("posed")
    }

    /// Reads the configuration, looks at what it names, and prints what it amounts to; `--check-config`.
    package func check() async -> DaemonExit {
        do throws(ConfigurationProblems) {
            let configuration = try source.load()
            // The folder of the usual socket is made by the service manager, when it starts the daemon.
            let isUsual = configuration.values.origin(Settings.Listen.unixPath) == "default"
            try await configuration.examine(socket: !isUsual)
            for warning in configuration.warnings { complain("posed: warning: \(warning)") }
            print(configuration.report())
            return .drained
        } catch {
            for problem in error.list { complain("posed: \(problem)") }
            return .configuration
        }
    }

    /// Is a daemon until it ends.
    ///
    /// - Parameter makeCore: makes what the daemon is built around, once the configuration is known; throws
    ///   ``ConfigurationProblems`` where it refuses that.
    package func run(
        makeCore: @Sendable (DaemonConfiguration, LogSink) async throws -> any DaemonCore
    ) async -> DaemonExit {
        signal(SIGPIPE, SIG_IGN)
        log.bootstrap()
        adoptLibraryLog()
        // From here on a signal is an event: one that comes early waits for the daemon to be there.
        let signals = await SignalService()
        let notifier = notifier()
        do {
            let configuration = try source.load()
            configuration.apply(to: log, suited: suited)
            for name in source.strayVariables {
                logger.warning("\(name) in the environment is not a setting; it is ignored")
            }
            if let collector = configuration[Settings.Operations.tracingEndpoint] {
                let exporter = TraceExporter(
                    collector, version: POSED_VERSION, logger: log.logger("posed.traces"))
                InstrumentationSystem.bootstrap(TraceRecorder { exporter.take($0) })
            }
            let core = try await makeCore(configuration, log)
            let world = DaemonEnvironment(
                notifier: notifier, watchdog: try WatchdogSettings(environment: environment),
                activated: try activated.get(), log: log, suitedLogFormat: suited,
                version: POSED_VERSION)
            let daemon = try Daemon(
                core: core, configuration: configuration, source: source, environment: world)
            return await serve(daemon, configuration, signals)
        } catch let problems as ConfigurationProblems {
            for problem in problems.list { logger.error("\(problem)") }
            try? notifier.send(
                .status("Configuration refused: \(problems.list.first?.description ?? "")"))
            // The service manager starts the daemon again as soon as the next caller comes to its socket.
            if isActivated { try? await Task.sleep(for: Self.pauseBeforeRefusal) }
            return .configuration
        } catch {
            logger.error("\(error)")
            try? notifier.send(.status("Could not start: \(error)"))
            return .startFailed
        }
    }

    /// How long a process that callers start waits before it ends for its configuration: so often at most
    /// they can start it in vain.
    private static let pauseBeforeRefusal = Duration.seconds(2)

    /// Whether the service manager holds a socket whose callers start this process.
    private var isActivated: Bool {
        if case .success(let passed) = activated {
            passed.contains(where: \.isSocket)
        } else {
            false
        }
    }

    /// Writes what the libraries say into the log: its form, its levels, and no more lines than callers' other
    /// mistakes may make.
    private func adoptLibraryLog() {
        let (logger, quota) = (log.logger("grpc"), LogQuota())
        LibraryLog.forward(from: .error) { severity, text in
            let level: Logger.Level = severity == .error ? .info : .debug
            guard logger.logLevel <= level, let withheld = quota.take() else { return }
            logger.log(
                level: level, "\(text)", metadata: withheld > 0 ? ["withheld": "\(withheld)"] : [:])
        }
    }

    private func notifier() -> Notifier {
        do {
            return try Notifier(environment: environment)
        } catch {
            logger.warning("The service manager will not be told anything", error: error)
            return .silent
        }
    }

    /// Runs the daemon among the services that it needs.
    private func serve(
        _ daemon: Daemon, _ configuration: DaemonConfiguration, _ signals: SignalService
    ) async -> DaemonExit {
        let (listening, listens) = AsyncStream<Void>.makeStream()
        let service = DaemonService(daemon: daemon, pages: listening)
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        if let address = configuration[Settings.Operations.httpAddress] {
            let pages = StatusPages(
                status: daemon.status, registry: daemon.registry, version: POSED_VERSION,
                statistics: { [core = daemon.core] in core.statistics })
            let logger = log.logger("posed.http")
            let server = StatusServer(address: address, pages: pages, logger: logger) { port in
                logger.info("Metrics at http://\(HostPort(host: address.host, port: port))")
                listens.yield()
            }
            services.append(.init(service: AddressedService(server: server, address: address)))
        } else {
            listens.finish()
        }
        services.append(.init(service: signals.reporting(to: daemon)))
        services.append(
            .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup))
        var quiet = log.logger("posed.services")
        quiet.logLevel = .critical
        var group = ServiceGroupConfiguration(services: services, logger: quiet)
        group.maximumGracefulShutdownDuration = .seconds(2)
        group.maximumCancellationDuration = .seconds(2)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as DaemonError {
            logger.error("\(error)")
            try? daemon.environment.notifier.send(.status("Could not start: \(error)"))
            return .startFailed
        } catch {
            // The services around the daemon were cut short; how the daemon itself ended says all.
        }
        return service.outcome ?? .failed
    }

    private func complain(_ sentence: String) {
        FileHandle.standardError.write(Data((sentence + "\n").utf8))
    }
}
