internal import CPosedGRPC
internal import Glibc
internal import PosedGuarded

/// The thread that accepts connections on sockets of our own, watches for their end, and looks at
/// the clock for its server.
final class Door: Sendable {
    /// What the door asks of its server. All of it runs on the door's thread.
    struct Host: Sendable {
        /// Serves a connection, whose descriptor is the host's from now on; returns what to call
        /// when its peer is gone, or nil when it was refused.
        let admit: @Sendable (Int32, Peer) -> (@Sendable () -> Void)?
        let event: @Sendable (ServerEvent) -> Void
        /// Runs every `interval`.
        let tick: @Sendable () -> Void
    }

    private enum Command {
        case stopListening
        case hurry
        case end
    }

    private let commands = Guarded<[Command]>([])
    private let wake: Descriptor

    /// Starts the thread.
    ///
    /// - Throws: `RPCError` with `resourceExhausted` when the system has no thread or descriptor.
    init(
        listeners: [ListeningSocket], configuration: ServerConfiguration, interval: Duration,
        host: Host
    ) throws(RPCError) {
        let number = posed_wakeup_create()
        guard number >= 0 else {
            throw RPCError(.resourceExhausted, "no event descriptor: \(SystemError.last)")
        }
        wake = Descriptor(number, ledger: configuration.ledger)
        let loop = DoorLoop(
            listeners: listeners, configuration: configuration, interval: interval, host: host)
        try NativeThread.run("posed-rpc-door") { [self] in run(loop) }
    }

    /// Closes the listening sockets; connections go on.
    func stopListening() { send(.stopListening) }

    /// Ticks often from now on.
    func hurry() { send(.hurry) }

    /// Ends the thread.
    func end() { send(.end) }

    private func send(_ command: Command) {
        commands.withLock { $0.append(command) }
        var one: UInt64 = 1
        _ = write(wake.number, &one, MemoryLayout<UInt64>.size)
    }

    private func run(_ loop: DoorLoop) {
        while true {
            loop.wait(wake: wake)
            var count: UInt64 = 0
            _ = read(wake.number, &count, MemoryLayout<UInt64>.size)
            let commands = commands.withLock { commands in
                defer { commands = [] }
                return commands
            }
            for command in commands {
                switch command {
                case .stopListening: loop.stopListening()
                case .hurry: loop.interval = .milliseconds(20)
                case .end: return loop.end()
                }
            }
        }
    }
}
