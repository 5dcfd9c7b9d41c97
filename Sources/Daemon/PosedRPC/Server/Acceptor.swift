internal import CPosedGRPC
internal import Glibc
internal import PosedAccounts
internal import PosedBase
internal import PosedErrors

/// The thread that accepts the connections of all listening sockets, looks at what they speak, watches for
/// their end, and looks at the clock for its server.
final class Acceptor: Sendable {
    /// What the acceptor asks of its server. All of it runs on the acceptor's thread.
    struct Delegate: Sendable {
        /// Serves a connection, whose descriptor is the delegate's from now on; returns what to call
        /// when its peer is gone, or nil when it was refused.
        let admit: @Sendable (Int32, Peer) -> (@Sendable () -> Void)?
        /// Takes a connection over that begins with the handshake of TLS; false where too many wait for theirs.
        let secure: @Sendable (Descriptor, Peer, CertificateStore) -> Bool
        /// Judges the first bytes of a connection without TLS.
        let judge: @Sendable (ArraySlice<UInt8>) -> Greeting.Verdict
        /// Runs every interval.
        let tick: @Sendable () -> Void
    }

    fileprivate enum Command {
        case stopListening
        case hurry
        case end
    }

    private let poller: Poller<Command>

    /// Starts the thread.
    ///
    /// - Throws: `RPCError` with `resourceExhausted` when the system has no thread or descriptor.
    init(
        listeners: [Listener], configuration: ServerConfiguration, delegate: Delegate
    ) throws(RPCError) {
        poller = try Poller(objectCounts: configuration.objectCounts)
        let loop = Loop(
            listeners: listeners, configuration: configuration, delegate: delegate, poller: poller)
        try NativeThread.run("posed-rpc-accept") { loop.run() }
    }

    /// Closes the listening sockets; connections go on.
    func stopListening() { poller.send(.stopListening) }

    /// Ticks often from now on.
    func hurry() { poller.send(.hurry) }

    /// Ends the thread.
    func end() { poller.send(.end) }
}

extension Acceptor {
    /// What the thread works with.
    ///
    /// Sendable because only the acceptor's thread uses it once it runs.
    private final class Loop: @unchecked Sendable {
        /// A connection that has not said yet what it speaks.
        private struct Silent {
            let descriptor: Descriptor
            let peer: Peer
            /// Nil for a connection without TLS.
            let certificates: CertificateStore?
            /// Whether it is a proxy's that has not said yet for whom it is.
            var isProxy = false
        }

        /// A connection that is served; the library has a second descriptor of its socket.
        private struct Served {
            let descriptor: Descriptor
            let peer: Peer
            let hold: Hold
            let gone: @Sendable () -> Void
        }

        /// For how long nothing is accepted after the system had nothing to give.
        private static let pause = Duration.milliseconds(100)
        /// Connections that one listener may bring before others have their turn.
        private static let turn = 64

        private let configuration: ServerConfiguration
        private let delegate: Delegate
        private let poller: Poller<Command>
        private var listeners: [UInt64: Listener] = [:]
        private var pendingConnections: PendingConnections
        /// Those who have not said yet what they speak.
        private var silent: [UInt64: Silent] = [:]
        private var served: [UInt64: Served] = [:]
        private var lastKey: UInt64 = 0
        /// A descriptor kept for the moment when there are no others: with it a connection is accepted to be
        /// closed, where it would otherwise wait for an answer that never comes.
        private var reserve: Descriptor?
        private var pausedUntil: ContinuousClock.Instant?
        private var interval: Duration
        private var nextTick: ContinuousClock.Instant

        init(
            listeners: [Listener], configuration: ServerConfiguration, delegate: Delegate,
            poller: Poller<Command>
        ) {
            self.configuration = configuration
            self.delegate = delegate
            self.poller = poller
            pendingConnections = PendingConnections(
                most: configuration.maxPending, mostEach: configuration.maxPendingOfPeer,
                patience: configuration.greetingTimeout)
            interval = configuration.fileCheckInterval
            nextTick = .now.advanced(by: interval)
            for listener in listeners {
                lastKey += 1
                self.listeners[lastKey] = listener
                poller.watch(listener.socket.descriptor, .readable, key: lastKey)
            }
            reserve = openReserve()
        }

        func run() {
            while true {
                for event in poller.wait(until: deadline) { handle(event) }
                for command in poller.takeCommands() {
                    switch command {
                    case .stopListening: stopListening()
                    case .hurry:
                        interval = .milliseconds(20)
                        nextTick = min(nextTick, .now.advanced(by: interval))
                    case .end: return end()
                    }
                }
                for key in pendingConnections.expired() {
                    refuse(key, "it has not said what it speaks in time")
                }
                if let until = pausedUntil, until <= .now { resume() }
                if nextTick <= .now {
                    nextTick = .now.advanced(by: interval)
                    delegate.tick()
                }
            }
        }

        private var deadline: ContinuousClock.Instant {
            [nextTick, pausedUntil, pendingConnections.deadline].compactMap { $0 }.min() ?? nextTick
        }

        private func handle(_ event: Poller<Command>.Event) {
            if let listener = listeners[event.key] {
                accept(listener)
            } else if let pending = silent[event.key] {
                inspect(pending, event)
            } else if let connection = served.removeValue(forKey: event.key) {
                poller.forget(connection.descriptor)
                connection.gone()
                connection.hold.release()
                configuration.onEvent(.connectionClosed(connection.peer))
            }
        }

        private func stopListening() {
            for listener in listeners.values { poller.forget(listener.socket.descriptor) }
            listeners = [:]
            silent = [:]
            pausedUntil = nil
        }

        private func end() {
            stopListening()
            for connection in served.values {
                configuration.onEvent(.connectionClosed(connection.peer))
            }
            served = [:]
        }

        // MARK: Accepting

        private func accept(_ listener: Listener) {
            for _ in 0..<Loop.turn {
                let number = posed_socket_accept(listener.socket.descriptor.number)
                guard number >= 0 else { return acceptFailed(errno, listener) }
                let descriptor = Descriptor(number, objectCounts: configuration.objectCounts)
                let peer = descriptor.peer
                if case .tcp = peer.address { posed_socket_send_at_once(number) }
                let isProxy = peer.host.map(configuration.proxies.contains) ?? false
                takeIn(
                    Silent(
                        descriptor: descriptor, peer: peer, certificates: listener.certificates,
                        isProxy: isProxy))
            }
        }

        private func acceptFailed(_ reason: Int32, _ listener: Listener) {
            switch reason {
            case EAGAIN, EINTR, ECONNABORTED: return
            case EMFILE, ENFILE: closeOne(listener)
            default: break
            }
            // Out of descriptors or memory: asking again at once would only burn the processor.
            pausedUntil = .now.advanced(by: Loop.pause)
            for listener in listeners.values { poller.forget(listener.socket.descriptor) }
            configuration.onEvent(.acceptPaused(reason: SystemError.text(reason)))
        }

        private func resume() {
            pausedUntil = nil
            if reserve == nil { reserve = openReserve() }
            for (key, listener) in listeners {
                poller.watch(listener.socket.descriptor, .readable, key: key)
            }
        }

        /// Tells those who wait that they are not served, with the descriptor that was kept for this.
        private func closeOne(_ listener: Listener) {
            for _ in 0..<Loop.turn {
                reserve = nil
                let number = posed_socket_accept(listener.socket.descriptor.number)
                if number >= 0 { close(number) }
                reserve = openReserve()
                guard number >= 0, reserve != nil else { return }
            }
        }

        private func openReserve() -> Descriptor? {
            let number = open("/dev/null", O_RDONLY | O_CLOEXEC)
            return number >= 0 ? Descriptor(number, objectCounts: configuration.objectCounts) : nil
        }

        // MARK: Greeting

        private func takeIn(_ pending: Silent) {
            lastKey += 1
            silent[lastKey] = pending
            if let leaving = pendingConnections.add(
                lastKey, of: pending.peer.caller, isProxy: pending.isProxy)
            {
                refuse(leaving, "it had said nothing when newer connections came")
            }
            let conditions: Poller<Command>.Conditions = [.readable, .peerClosed, .changes]
            if !poller.watch(pending.descriptor, conditions, key: lastKey) {
                refuse(lastKey, SystemError.last)
            }
        }

        /// Looks at the first bytes of a proxy's connection, and takes those that say for whom it is.
        private func introduce(_ pending: Silent, _ event: Poller<Command>.Event) {
            let key = event.key
            let (bytes, count) = peek(pending.descriptor, ProxyHeader.greatestLength)
            switch ProxyHeader.judge(bytes) {
            case .wrong:
                refuse(key, "a proxy's connection begins with a header of PROXY protocol 2")
            case .undecided:
                guard count == 0 || event.conditions.hasEnded else { return }
                forget(key)
                configuration.onEvent(.connectionClosed(pending.peer))
            case .complete(let length, let origin):
                var header = [UInt8](repeating: 0, count: length)
                guard recv(pending.descriptor.number, &header, length, 0) == length else {
                    return refuse(key, SystemError.last)
                }
                var peer = pending.peer
                if case .client(let address) = origin { peer.address = .tcp(address) }
                let known = Silent(
                    descriptor: pending.descriptor, peer: peer,
                    certificates: pending.certificates)
                silent[key] = known
                pendingConnections.remove(key)
                if let leaving = pendingConnections.add(key, of: peer.caller) {
                    refuse(leaving, "it had said nothing when newer connections came")
                }
                // What follows the header may have come with it: there is no event for that.
                inspect(known, event)
            }
        }

        /// The first bytes of a connection, and how many they are; 0 at its end, less where there are none.
        private func peek(_ descriptor: Descriptor, _ most: Int) -> ([UInt8], Int) {
            var bytes = [UInt8](repeating: 0, count: most)
            let count = recv(
                descriptor.number, &bytes, most, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
            return (Array(bytes.prefix(max(0, count))), count)
        }

        /// Looks at the first bytes without taking them.
        private func inspect(_ pending: Silent, _ event: Poller<Command>.Event) {
            if pending.isProxy { return introduce(pending, event) }
            let key = event.key
            let (bytes, count) = peek(pending.descriptor, Greeting.expected.count)
            let hasLeft = count == 0 || event.conditions.hasEnded
            if count > 0, let store = pending.certificates {
                guard delegate.secure(pending.descriptor, pending.peer, store) else {
                    return refuse(key, "too many handshakes are to be made")
                }
                return forget(key)
            }
            switch delegate.judge(bytes[...]) {
            case .welcome: admit(pending.descriptor, pending.peer, key)
            case .wrong: refuse(key, "it does not speak HTTP/2")
            case .undecided where hasLeft:
                // Who only looks whether somebody listens is no trouble.
                forget(key)
                configuration.onEvent(.connectionClosed(pending.peer))
            case .undecided: break
            }
        }

        private func forget(_ key: UInt64) {
            pendingConnections.remove(key)
            guard let pending = silent.removeValue(forKey: key) else { return }
            poller.forget(pending.descriptor)
        }

        private func refuse(_ key: UInt64, _ reason: String) {
            guard let peer = silent[key]?.peer else { return }
            forget(key)
            configuration.onEvent(.connectionRefused(peer, reason: reason))
        }

        private func admit(_ descriptor: Descriptor, _ peer: Peer, _ key: UInt64) {
            let hold: Hold
            do {
                hold = try configuration.accounts.account(of: peer.caller).take(.connections)
            } catch {
                return refuse(key, error.message)
            }
            // The library gets, and in the end closes, a second descriptor; ours shows the end.
            let copy = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { return refuse(key, SystemError.last) }
            forget(key)
            guard let gone = delegate.admit(copy, peer) else {
                return configuration.onEvent(
                    .connectionRefused(peer, reason: "the server has no room for it"))
            }
            served[key] = Served(descriptor: descriptor, peer: peer, hold: hold, gone: gone)
            poller.watch(descriptor, .peerClosed, key: key)
            configuration.onEvent(.connectionOpened(peer))
        }
    }
}
