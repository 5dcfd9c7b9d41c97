internal import Glibc
internal import PosedAccounts
internal import PosedErrors
internal import PosedGuarded

/// Serves calls on Unix sockets, TCP and inherited listeners until it is shut down.
///
/// Every connection gets a server of the library to itself. That ties a call to its connection, and so to the
/// credentials that the kernel noted or the certificate that was verified, without trusting any text; the
/// library offers no other way that holds when descriptors are reused.
package final class Server: Sendable {
    private typealias Connection = UInt64

    private enum Phase {
        case idle
        case running
        case draining
        /// No call is left; what was sent is passed on.
        case closing
        case stopped
    }

    private struct State {
        var phase = Phase.idle
        var bound: [BoundEndpoint] = []
        var queues: [CompletionQueue] = []
        var acceptor: Acceptor?
        /// Where there is an endpoint with TLS.
        var terminator: TLSTerminator?
        var stores: [CertificateStore] = []
        var servers: [Connection: CoreServer] = [:]
        var lastConnection: Connection = 0
        var calls: [ObjectIdentifier: ServerCall] = [:]
        var quietTicks = 0
        /// Ends calls that wait for their clients for too long.
        var sweeper: Task<Void, Never>?
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let configuration: ServerConfiguration
    private let router: Router
    private let interceptors: [ServerInterceptor]
    private let state = Guarded(State())

    package init(
        configuration: ServerConfiguration, router: Router, interceptors: [ServerInterceptor] = []
    ) {
        self.configuration = configuration
        self.router = router
        self.interceptors = interceptors
    }

    /// Where the server is reached, in the order of the configuration; empty before the start.
    package var boundEndpoints: [BoundEndpoint] { state.withLock { $0.bound } }

    /// How many calls are being served, of all callers.
    package var liveCalls: Int { state.withLock { $0.calls.count } }

    // MARK: Start

    /// Binds all endpoints and begins to serve. When one cannot be bound nothing is left behind.
    ///
    /// - Throws: `RPCError`: `alreadyExists` for an endpoint in use, `failedPrecondition` for files and
    ///   sockets that are no good, `invalidArgument` for a configuration that makes no sense,
    ///   `resourceExhausted` when the system has no more to give.
    package func start() throws(RPCError) {
        let isFirst = state.withLock { state in
            guard state.phase == .idle else { return false }
            state.phase = .running
            return true
        }
        guard isFirst else { throw RPCError(.failedPrecondition, "the server was started before") }
        do {
            try begin()
        } catch {
            abandonStart()
            throw error
        }
    }

    private func begin() throws(RPCError) {
        guard !configuration.endpoints.isEmpty else {
            throw RPCError(.invalidArgument, "a server needs at least one endpoint")
        }
        let objectCounts = configuration.objectCounts
        var queues: [CompletionQueue] = []
        for index in 0..<max(1, configuration.queues) {
            queues.append(
                try CompletionQueue(name: "posed-rpc-\(index)", objectCounts: objectCounts))
        }
        state.withLock { $0.queues = queues }
        var binder = EndpointBinder(objectCounts: objectCounts)
        for endpoint in configuration.endpoints { try binder.bind(endpoint) }
        let admit: TLSTerminator.Admit = { [weak self] in self?.admit($0, $1) }
        let terminator =
            binder.stores.isEmpty ? nil : try TLSTerminator(configuration, admit: admit)
        let delegate = Acceptor.Delegate(
            admit: admit, secure: { terminator?.serve($0, $1, $2) ?? false },
            judge: { Greeting.judge($0) }, tick: { [weak self] in self?.tick() })
        let acceptor: Acceptor
        do {
            acceptor = try Acceptor(
                listeners: binder.listeners, configuration: configuration, delegate: delegate)
        } catch {
            terminator?.end {}
            throw error
        }
        startSweeping()
        let (bound, stores) = (binder.bound, binder.stores)
        state.withLock { state in
            state.bound = bound
            state.stores = stores
            state.acceptor = acceptor
            state.terminator = terminator
        }
    }

    private func abandonStart() {
        let sweeper = state.withLock { state in
            state.phase = .stopped
            state.queues = []
            return state.sweeper
        }
        sweeper?.cancel()
    }

    // MARK: Connections and calls

    /// Serves a connection that was accepted. The descriptor is ours.
    private func admit(_ descriptor: Int32, _ peer: Peer) -> (@Sendable () -> Void)? {
        let queue: CompletionQueue? = state.withLock { state in
            guard state.phase == .running, !state.queues.isEmpty else { return nil }
            return state.queues[Int(state.lastConnection % UInt64(state.queues.count))]
        }
        guard let queue,
            let server = try? CoreServer(
                options: configuration.transport, queues: [queue],
                objectCounts: configuration.objectCounts)
        else {
            Glibc.close(descriptor)
            return nil
        }
        server.start()
        guard let connection = register(server) else {
            Glibc.close(descriptor)
            server.stop {}
            return nil
        }
        let entry = ConnectionEntry(objectCounts: configuration.objectCounts)
        server.accept(1) { [weak self] call in
            self?.arrived(call, peer)
            withExtendedLifetime(entry) {}
        }
        server.adopt(connection: descriptor)
        return { [weak self] in
            guard let self else { return }
            server.stop { self.ended(connection) }
        }
    }

    /// Counts a server of the library among ours; nil when we are shutting down.
    private func register(_ server: CoreServer) -> Connection? {
        state.withLock { state in
            guard state.phase == .running else { return nil }
            state.lastConnection += 1
            state.servers[state.lastConnection] = server
            return state.lastConnection
        }
    }

    private func ended(_ connection: Connection) {
        state.withLock { _ = $0.servers.removeValue(forKey: connection) }
        settleIfDone()
    }

    private func arrived(_ incoming: IncomingCall, _ peer: Peer) {
        let request = ServerRequest(incoming, peer: peer)
        let admission: Admission
        do throws(RPCError) {
            admission = try configuration.admit(request)
        } catch {
            configuration.onEvent(.callRefused(request, error))
            return ServerCall.refuse(incoming.core, request, error)
        }
        let call = ServerCall(
            incoming.core, context: ServerContext(request, admission),
            transport: configuration.transport, workers: configuration.workers)
        state.withLock { $0.calls[ObjectIdentifier(call)] = call }
        let handler = router.handler(for: request.method)
        call.serve { [interceptors, configuration] call in
            do {
                try await Server.run(interceptors[...], call, handler)
            } catch let error as RequestError where !call.context.isCancelled {
                throw configuration.status(error)
            }
        } done: { [weak self] call in
            admission.call.release()
            self?.served(call)
        }
    }

    private static func run(
        _ interceptors: ArraySlice<ServerInterceptor>, _ call: ServerCall,
        _ handler: Router.Handler
    ) async throws {
        guard let first = interceptors.first else { return try await handler(call) }
        try await first(call.context.request, call.context) {
            try await run(interceptors.dropFirst(), call, handler)
        }
    }

    private func served(_ call: ServerCall) {
        state.withLock { _ = $0.calls.removeValue(forKey: ObjectIdentifier(call)) }
        settleIfDone()
    }

    /// Ends every call whose caller would not be let in any more under the same identity: a token or a
    /// certificate was taken back.
    ///
    /// - Parameter identify: who makes a call; throws for those that must not call.
    package func revoke(_ identify: (ServerRequest) throws(RPCError) -> Identity) {
        for call in state.withLock({ Array($0.calls.values) }) {
            let identity: Identity?
            do throws(RPCError) {
                identity = try identify(call.context.request)
            } catch {
                identity = nil
            }
            if identity != call.context.identity { call.cancel(.revoked) }
        }
    }

    /// How often calls are looked at that wait for their clients.
    private static let sweepInterval = Duration.milliseconds(500)

    private func startSweeping() {
        let sweeper = Task { [weak self] in
            while (try? await Task.sleep(for: Server.sweepInterval)) != nil {
                guard let self else { return }
                sweep(at: .now)
            }
        }
        state.withLock { $0.sweeper = sweeper }
    }

    /// Ends calls that wait for their clients for too long. Once the server drains, a call whose first message
    /// has not come was never accepted: nobody waits for it.
    private func sweep(at now: ContinuousClock.Instant) {
        let (phase, calls) = state.withLock { ($0.phase, Array($0.calls.values)) }
        let isDraining = phase == .draining
        let first = isDraining ? Server.sweepInterval : configuration.firstMessageTimeout
        for call in calls
        where call.isOverdue(at: now, first: first, idle: configuration.idleTimeout) {
            call.cancel(isDraining ? .shutdown : .idle)
        }
    }

    // MARK: Files

    /// Reads the files of certificates again, whether they look changed or not. Those of
    /// `ServerConfiguration.reloadable` are left to whom they belong.
    ///
    /// - Throws: `RPCError` with `failedPrecondition` when some are no good; then all stay as they were.
    package func reloadCertificates() throws(RPCError) {
        var changes: [(paths: [String], apply: @Sendable () -> Void)] = []
        for store in state.withLock({ $0.stores }) {
            do throws(RPCError) {
                guard let apply = try store.prepare(always: true) else { continue }
                changes.append((store.paths, apply))
            } catch {
                configuration.onEvent(.filesRefused(paths: store.paths, error))
                throw error
            }
        }
        for change in changes {
            change.apply()
            configuration.onEvent(.filesReloaded(paths: change.paths))
        }
        if !changes.isEmpty { state.withLock { $0.terminator }?.verify() }
    }

    private func reloadChanged(_ files: any ReloadableFiles) {
        do throws(RPCError) {
            guard let apply = try files.prepare(always: false) else { return }
            apply()
            configuration.onEvent(.filesReloaded(paths: files.paths))
            state.withLock { $0.terminator }?.verify()
        } catch {
            configuration.onEvent(.filesRefused(paths: files.paths, error))
        }
    }

    /// Runs on the acceptor's thread, now and then.
    private func tick() {
        let (phase, stores, servers) = state.withLock { ($0.phase, $0.stores, $0.servers) }
        if phase == .running {
            for files in stores + configuration.reloadable { reloadChanged(files) }
            for server in servers.values { server.replenish() }
            return
        }
        // Draining, and nobody has a call: connections that stay open all the same are ended.
        let silent: [CoreServer] = state.withLock { state in
            state.quietTicks = state.calls.isEmpty ? state.quietTicks + 1 : 0
            return state.quietTicks >= 5 ? Array(state.servers.values) : []
        }
        for server in silent { server.cancelAll() }
    }

    // MARK: End

    /// Admits no more connections and calls; those that are being served go on.
    package func beginGracefulShutdown() {
        let (acceptor, servers): (Acceptor?, [Connection: CoreServer]) = state.withLock { state in
            guard state.phase == .running || state.phase == .idle else { return (nil, [:]) }
            state.phase = .draining
            return (state.acceptor, state.servers)
        }
        acceptor?.stopListening()
        acceptor?.hurry()
        for (connection, server) in servers {
            server.stop { [weak self] in self?.ended(connection) }
        }
        settleIfDone()
    }

    /// Ends all calls and connections now; handlers see a cancellation with the reason `shutdown`.
    package func cancelAll() {
        beginGracefulShutdown()
        let (calls, servers) = state.withLock { (Array($0.calls.values), Array($0.servers.values)) }
        for call in calls { call.cancel(.shutdown) }
        for server in servers { server.cancelAll() }
    }

    /// Returns when the server has been shut down and its last handler has returned: one that ignores
    /// its cancellation holds this up.
    package func stopped() async {
        await withCheckedContinuation { continuation in
            let over = state.withLock { state in
                if state.phase != .stopped { state.waiting.append(continuation) }
                return state.phase == .stopped
            }
            if over { continuation.resume() }
        }
    }

    /// Starts the server and returns when it has been shut down. Cancelling the task ends all calls.
    package func run() async throws(RPCError) {
        try start()
        await withTaskCancellationHandler {
            await stopped()
        } onCancel: {
            cancelAll()
        }
    }

    private func settleIfDone() {
        let done: (acceptor: Acceptor?, terminator: TLSTerminator?)? = state.withLock { state in
            guard state.phase == .draining, state.servers.isEmpty, state.calls.isEmpty else {
                return nil
            }
            state.phase = .closing
            return (state.acceptor, state.terminator)
        }
        guard let done else { return }
        done.acceptor?.end()
        // The last answers may still be on their way through TLS.
        guard let terminator = done.terminator else { return close() }
        terminator.end { [self] in close() }
    }

    private func close() {
        let (waiting, sweeper) = state.withLock { state in
            state.phase = .stopped
            let sweeper = state.sweeper
            defer {
                state.acceptor = nil
                state.terminator = nil
                state.queues = []
                state.stores = []
                state.waiting = []
                state.sweeper = nil
            }
            return (state.waiting, sweeper)
        }
        sweeper?.cancel()
        for continuation in waiting { continuation.resume() }
    }
}

/// Counts a connection for as long as its server of the library lives.
private final class ConnectionEntry: Sendable {
    private let entry: ObjectCounts.Entry

    init(objectCounts: ObjectCounts) {
        entry = ObjectCounts.Entry(.connections, in: objectCounts)
    }
}
