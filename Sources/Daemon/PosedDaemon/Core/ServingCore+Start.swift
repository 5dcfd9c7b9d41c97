internal import CPosedVersion
internal import Foundation
internal import Logging
internal import PosedAccounts
internal import PosedHTTP
internal import PosedRPC
internal import PosedService
internal import PosedServing
internal import PosedSessions
internal import PosedTelemetry

extension ServingCore {
    package func start(_ configuration: DaemonConfiguration, _ context: CoreContext) async throws {
        let sessions = log.logger("posed.sessions")
        var serving = try configuration.serving(configuration.memoryShares(idle: 0))
        serving.restartStore = DescriptorStore(context.notifier, context.activated)
        serving.onArchive = { report in
            sessions.log(
                level: report.severity == .problem ? .warning : .info, "\(report.message)")
        }
        let store = SharedStore(configuration, onReport: serving.onArchive)
        serving.sharedSessions = store?.archive
        serving.sourceRecords = store?.sources
        let engine = try await ServingEngine.load(
            serving, metrics: EngineMetrics(context.metrics), onProgress: context.progress)
        do {
            try configuration.checkDefaults { try engine.check($0, within: $1) }
            store?.start()
            if serving.stateFolder != nil {
                context.progress("Restoring sessions")
                let count = await engine.restoreSessions()
                logger.notice("Restored \(count) sessions")
            }
            let idle = ProcessMetrics.residentBytes
            try engine.adopt(
                configuration.servingLimits(configuration.memoryShares(idle: idle)))
            adopt(try serve(engine, configuration, context, store, idle: idle))
        } catch {
            await engine.shutDown()
            await store?.shutDown()
            throw error
        }
    }

    /// Opens the endpoints in front of an engine that is ready.
    private func serve(
        _ engine: ServingEngine, _ configuration: DaemonConfiguration, _ context: CoreContext,
        _ store: SharedStore?, idle: Int
    ) throws -> Running {
        let serving = ConfiguredServing(engine, defaults: configuration.requestDefaults)
        let workers = Workers(threads: 2)
        let tokens = try configuration.tokens()
        let access = AccessControl(
            policy(configuration), tokens: tokens,
            openMethods: ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"],
            accounts: engine.accounts, status: { RPCError($0) })
        let browsers = Browsers()
        let services = try Services(
            serving: serving,
            facts: .init(
                version: POSED_VERSION, started: Date(),
                maxMessageBytes: configuration[Settings.RPC.maxReceiveBytes],
                studio: configuration[Settings.HTTP.address].map { _ in browsers.address }),
            isAdministrator: { access.isAdministrator($0) }, workers: workers)
        var router = Router()
        try services.register(in: &router)
        let telemetry = CallTelemetry(
            context.metrics, methods: router.methods, logger: log.logger("posed.calls"),
            quota: LogQuota(),
            isAccessLogged: { [weak self] in
                self?.running?.configuration[Settings.Operations.logAccess] ?? false
            })
        var settings = try configuration.server(activated: context.activated)
        settings.reloadable = [tokens]
        let (quota, events) = (LogQuota(), log.logger("posed.server"))
        settings.onEvent = { [weak self] event in
            Self.report(event, telemetry, events, quota)
            if case .filesReloaded = event { self?.endRevokedCalls() }
        }
        settings.accounts = engine.accounts
        settings.admit = { (request) throws(RPCError) in try access.admit(request) }
        settings.status = { RPCError($0) }
        settings.firstMessageTimeout = configuration[Settings.Limits.firstMessageTimeout]
        settings.idleTimeout = configuration[Settings.Limits.idleTimeout]
        settings.workers = workers
        let server = Server(
            configuration: settings, router: router,
            interceptors: [telemetry.interceptor])
        let http = try serveHTTP(services, access, browsers, telemetry, settings, configuration)
        do {
            try server.start()
        } catch {
            http?.cancelAll()
            throw error
        }
        services.health.set(.serving)
        return Running(
            engine: engine, serving: serving, services: services, server: server, http: http,
            access: access, configuration: configuration, store: store, idleMemory: idle,
            chores: [
                Task { await engine.keepHouse() },
                Task { await self.keepGauges(context, engine, store) },
            ])
    }

    /// Who may call, by a configuration.
    func policy(_ configuration: DaemonConfiguration) -> AccessControl.Policy {
        AccessControl.Policy(
            unix: configuration[Settings.Listen.unixAllow],
            tcp: configuration[Settings.Listen.tcpAllow],
            http: configuration[Settings.HTTP.allow],
            administrators: configuration[Settings.Authentication.administrators])
    }

    /// Brings gauges and health up to date once a second.
    private func keepGauges(
        _ context: CoreContext, _ engine: ServingEngine, _ store: SharedStore?
    ) async {
        let metrics = context.metrics
        repeat {
            updateHealth()
            store?.show(in: metrics)
            let now = engine.statistics
            metrics.sessions().set(Double(now.sessions))
            metrics.sessionBytes().set(Double(now.sessionBytes))
            metrics.framesWaiting().set(Double(now.framesQueued))
            metrics.framesRunning().set(Double(now.framesRunning))
            metrics.streams().set(Double(now.openStreams))
            let (held, refused) = (engine.accounts.total, engine.accounts.refused)
            for resource in Resource.allCases {
                metrics.accountHeld(resource.rawValue).set(Double(held[resource]))
                metrics.accountRefused(resource.rawValue).set(Double(refused[resource]))
            }
            let alive = ObjectCounts.shared.snapshot()
            for item in ObjectCounts.Item.allCases {
                metrics.rpcAlive("\(item)").set(Double(alive[item]))
            }
        } while (try? await Task.sleep(for: .seconds(1))) != nil
    }

    private static func report(
        _ event: ServerEvent, _ telemetry: CallTelemetry, _ logger: Logger, _ quota: LogQuota
    ) {
        /// What strangers bring about, as often as they like.
        func whisper(_ level: Logger.Level, _ text: String) {
            guard let withheld = quota.take() else { return }
            logger.log(
                level: level, "\(text)", metadata: withheld > 0 ? ["withheld": "\(withheld)"] : [:])
        }
        switch event {
        case .connectionOpened(let peer): logger.debug("\(peer) connected")
        case .connectionClosed(let peer): logger.debug("\(peer) left")
        case .connectionRefused(let peer, let reason): whisper(.info, "\(peer) refused: \(reason)")
        case .acceptPaused(let reason):
            whisper(.warning, "No connections are accepted for a moment: \(reason)")
        case .callRefused(let request, let error): telemetry.refused(request, error)
        case .filesReloaded(let paths):
            logger.notice("Reloaded \(paths.joined(separator: ", "))")
        case .filesRefused(let paths, let error):
            logger.error(
                "\(paths.joined(separator: ", ")) changed and cannot be used; the old contents stay: \(error)"
            )
        }
    }
}
