internal import CPosedGRPC
internal import PosedAccounts
internal import PosedBase
internal import PosedErrors

/// The thread in which TLS ends: it makes the handshakes of accepted connections and passes on between clients
/// and the library, which sees one end of a pair of sockets for each.
///
/// The library takes accepted sockets without TLS only. With TLS in front of it, who calls is known before the
/// library sees anything, and all connections are accepted, counted and bounded in one way.
final class TLSTerminator: Sendable {
    fileprivate enum Command: Sendable {
        case serve(Descriptor, Peer, CertificateStore)
        case verify
        case end(@Sendable () -> Void)
    }

    /// Serves a connection, whose descriptor is the host's from now on; returns what to call when its client is
    /// gone, or nil when it was refused.
    typealias Admit = @Sendable (Int32, Peer) -> (@Sendable () -> Void)?

    private let poller: Poller<Command>
    private let mostWaiting: Int

    /// Starts the thread, which shows as `posed-rpc-tls`.
    ///
    /// - Throws: `RPCError` with `resourceExhausted` when the system has no thread or descriptor.
    init(_ configuration: ServerConfiguration, admit: @escaping Admit) throws(RPCError) {
        poller = try Poller(objectCounts: configuration.objectCounts)
        mostWaiting = configuration.maxPending
        let loop = Loop(configuration, poller, admit)
        try NativeThread.run("posed-rpc-tls") { loop.run() }
    }

    /// Serves a connection that begins with a handshake; false where too many have not begun theirs.
    func serve(_ descriptor: Descriptor, _ peer: Peer, _ store: CertificateStore) -> Bool {
        guard poller.commandCount < mostWaiting else { return false }
        poller.send(.serve(descriptor, peer, store))
        return true
    }

    /// Certificates have changed: ends the connections whose client would not be let in any more.
    func verify() { poller.send(.verify) }

    /// Passes on what the library has sent, a few seconds at most, and ends the thread.
    func end(_ done: @escaping @Sendable () -> Void) { poller.send(.end(done)) }
}

extension TLSTerminator {
    /// What the thread works with.
    ///
    /// Sendable because only the terminator's thread uses it once it runs.
    private final class Loop: @unchecked Sendable {
        /// How long a client may take for the last bytes after the library has closed its end.
        private static let patience = Duration.seconds(5)

        private let configuration: ServerConfiguration
        private let poller: Poller<Command>
        private let admit: Admit
        private var pendingConnections: PendingConnections
        /// By the key of the client's socket, which is even; that of the library's socket is one more.
        private var connections: [UInt64: TLSConnection] = [:]
        private var lastKey: UInt64 = 0
        /// Those that have more to do than a turn let them.
        private var eager: [UInt64] = []
        /// What to call when the last connection is over; nil until the end.
        private var ended: (@Sendable () -> Void)?
        private var endsAt: ContinuousClock.Instant?

        init(
            _ configuration: ServerConfiguration, _ poller: Poller<Command>,
            _ admit: @escaping Admit
        ) {
            self.configuration = configuration
            self.poller = poller
            self.admit = admit
            pendingConnections = PendingConnections(
                most: configuration.maxPending, mostEach: configuration.maxPendingOfPeer,
                patience: configuration.transport.handshakeTimeout)
        }

        func run() {
            posed_thread_block_broken_pipes()
            while true {
                for event in poller.wait(until: deadline) { handle(event) }
                let turn = eager
                eager = []
                for key in turn { pump(key) }
                for command in poller.takeCommands() {
                    switch command {
                    case .serve(let descriptor, let peer, let store):
                        takeIn(descriptor, peer, store)
                    case .verify: verify()
                    case .end(let done):
                        ended = done
                        endsAt = .now.advanced(by: Loop.patience)
                    }
                }
                for key in pendingConnections.expired() {
                    refuse(key, "its handshake was not done in time")
                }
                for (key, connection) in connections {
                    if let end = connection.deadline, end <= .now { finish(key) }
                }
                if let ended, connections.isEmpty || (endsAt ?? .now) <= .now {
                    for key in connections.keys { finish(key) }
                    return ended()
                }
            }
        }

        private var deadline: ContinuousClock.Instant {
            if !eager.isEmpty { return .now }
            let moments = connections.values.lazy.compactMap(\.deadline).min()
            return [moments, pendingConnections.deadline, endsAt].compactMap { $0 }.min()
                ?? .now.advanced(by: .seconds(3600))
        }

        private func handle(_ event: Poller<Command>.Event) {
            let key = event.key & ~1
            guard let connection = connections[key] else { return }
            if event.key == key, event.conditions.isBroken { connection.breakOff() }
            if let pair = connection.pair {
                // The library has closed its end. The rest is read when the client has room for it.
                if event.key != key, event.conditions.isBroken {
                    poller.forget(pair)
                    connection.linger(until: .now.advanced(by: Loop.patience))
                }
                pump(key)
            } else {
                shake(connection, key)
            }
        }

        // MARK: Handshakes

        private func takeIn(_ descriptor: Descriptor, _ peer: Peer, _ store: CertificateStore) {
            guard ended == nil, let session = TLSSession(store.context, descriptor) else { return }
            lastKey += 2
            let connection = TLSConnection(descriptor, session, peer, store)
            connections[lastKey] = connection
            if let leaving = pendingConnections.add(lastKey, of: peer.caller) {
                refuse(leaving, "its handshake was not done when newer connections came")
            }
            shake(connection, lastKey)
        }

        private func shake(_ connection: TLSConnection, _ key: UInt64) {
            switch connection.session.handshake() {
            case .done: begin(connection, key)
            case .wantsRead: poller.watch(connection.socket, .readable, key: key)
            case .wantsWrite: poller.watch(connection.socket, .writable, key: key)
            case .ended: refuse(key, "it left during the handshake")
            case .failed(let reason): refuse(key, "its handshake failed: \(reason)")
            }
        }

        /// Hands the connection to the library.
        private func begin(_ connection: TLSConnection, _ key: UInt64) {
            connection.identify()
            let hold: Hold
            do {
                hold = try configuration.accounts.account(of: connection.peer.caller)
                    .take(.connections)
            } catch {
                return refuse(key, error.message)
            }
            var (ours, theirs): (Int32, Int32) = (-1, -1)
            guard posed_socket_pair(&ours, &theirs) else {
                return refuse(key, SystemError.last)
            }
            let pair = Descriptor(ours, objectCounts: configuration.objectCounts)
            guard let gone = admit(theirs, connection.peer) else {
                return refuse(key, "the server has no room for it")
            }
            pendingConnections.remove(key)
            connection.open(pair, hold: hold, gone: gone)
            configuration.onEvent(.connectionOpened(connection.peer))
            pump(key)
        }

        private func refuse(_ key: UInt64, _ reason: String) {
            pendingConnections.remove(key)
            guard let connection = connections.removeValue(forKey: key) else { return }
            connection.breakOff()
            poller.forget(connection.socket)
            _ = connection.end()
            configuration.onEvent(.connectionRefused(connection.peer, reason: reason))
        }

        // MARK: Passing on

        private func pump(_ key: UInt64) {
            guard let connection = connections[key], let pair = connection.pair else { return }
            switch connection.pump() {
            case .over: return finish(key)
            case .goesOn: eager.append(key)
            case .waits: break
            }
            watch(connection.socket, connection.waitsForClient, key)
            if connection.deadline == nil { watch(pair, connection.waitsForLibrary, key + 1) }
        }

        private func watch(
            _ descriptor: Descriptor, _ waits: (readable: Bool, writable: Bool), _ key: UInt64
        ) {
            var conditions: Poller<Command>.Conditions = []
            if waits.readable { conditions.insert(.readable) }
            if waits.writable { conditions.insert(.writable) }
            poller.watch(descriptor, conditions, key: key)
        }

        private func finish(_ key: UInt64) {
            pendingConnections.remove(key)
            guard let connection = connections.removeValue(forKey: key) else { return }
            poller.forget(connection.socket)
            if let pair = connection.pair { poller.forget(pair) }
            if connection.end() { configuration.onEvent(.connectionClosed(connection.peer)) }
        }

        private func verify() {
            for (key, connection) in connections where connection.pair != nil {
                guard !connection.session.suits(connection.store.context) else { continue }
                configuration.onEvent(
                    .connectionRefused(
                        connection.peer, reason: "its certificate is not accepted any more"))
                finish(key)
            }
        }
    }
}
