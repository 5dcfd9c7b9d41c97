internal import PosedGuarded

/// Accepts connections for a server of another protocol, as `Server` accepts its own: charged to their peers,
/// bounded, and with TLS ended before the other server sees anything.
package final class Gateway: Sendable {
    /// Serves a connection, whose descriptor is the callee's from now on. It must not block.
    ///
    /// - Returns: what to call when the client is gone; nil for a connection that was refused.
    package typealias Serve = @Sendable (Int32, Peer) -> (@Sendable () -> Void)?

    private struct State {
        var acceptor: Acceptor?
        var terminator: TLSTerminator?
        var stores: [CertificateStore] = []
        var isStopping = false
    }

    private let configuration: ServerConfiguration
    private let state = Guarded(State())

    /// A gateway at the endpoints of a configuration; of the rest it takes what is about connections.
    package init(_ configuration: ServerConfiguration) {
        self.configuration = configuration
    }

    /// Binds all endpoints and begins to accept. When one cannot be bound nothing is left behind.
    ///
    /// - Returns: where it is reached, in the order of the configuration.
    /// - Throws: what `Server.start` throws.
    package func start(_ serve: @escaping Serve) throws(RPCError) -> [BoundEndpoint] {
        var binder = EndpointBinder(objectCounts: configuration.objectCounts)
        for endpoint in configuration.endpoints { try binder.bind(endpoint) }
        let terminator =
            binder.stores.isEmpty ? nil : try TLSTerminator(configuration, admit: serve)
        let delegate = Acceptor.Delegate(
            admit: serve, secure: { terminator?.serve($0, $1, $2) ?? false },
            judge: { $0.isEmpty ? .undecided : .welcome }, tick: { [weak self] in self?.tick() })
        do {
            let acceptor = try Acceptor(
                listeners: binder.listeners, configuration: configuration, delegate: delegate)
            let stores = binder.stores
            state.withLock { state in
                state.acceptor = acceptor
                state.terminator = terminator
                state.stores = stores
            }
        } catch {
            terminator?.end {}
            throw error
        }
        return binder.bound
    }

    /// Accepts no more connections; those that are served go on.
    package func stopListening() {
        let acceptor = state.withLock { state in
            state.isStopping = true
            return state.acceptor
        }
        acceptor?.stopListening()
    }

    /// Ends the threads once the last bytes were passed on. All connections must be over.
    package func end() async {
        let (acceptor, terminator) = state.withLock { state in
            defer { state = State(isStopping: true) }
            return (state.acceptor, state.terminator)
        }
        acceptor?.end()
        guard let terminator else { return }
        await withCheckedContinuation { done in terminator.end { done.resume() } }
    }

    /// Reads the files of certificates again.
    ///
    /// - Throws: `RPCError` with `failedPrecondition` when some are no good; they stay as they were.
    package func reloadCertificates() throws(RPCError) { try reload(always: true) }

    private func reload(always: Bool) throws(RPCError) {
        let (stores, terminator) = state.withLock { ($0.stores, $0.terminator) }
        for store in stores {
            do throws(RPCError) {
                guard let apply = try store.prepare(always: always) else { continue }
                apply()
                configuration.onEvent(.filesReloaded(paths: store.paths))
                terminator?.verify()
            } catch {
                configuration.onEvent(.filesRefused(paths: store.paths, error))
                throw error
            }
        }
    }

    /// Runs on the acceptor's thread, now and then.
    private func tick() {
        guard !state.withLock({ $0.isStopping }) else { return }
        try? reload(always: false)
    }
}
