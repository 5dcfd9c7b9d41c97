internal import Foundation
internal import NIOCore
internal import NIOPosix
package import PosedSessions

/// A connection to a Redis server that restores itself.
///
/// Commands go out in the order of their calls, without waiting for the answers of those before. A command that is
/// not answered within the time limit costs the connection, as nobody can say which answer would be whose; the client
/// connects again by itself, and until then every call fails at once.
package final class RedisClient: Sendable {
    /// What a client needs to know.
    package struct Configuration: Sendable {
        package var address: RedisAddress
        /// A file with `PASSWORD` or `USER PASSWORD`, read for each connection; nil where the server wants neither.
        package var credentialsFile: String?
        /// The longest that a call waits, connecting included.
        package var timeout: Duration
        /// How long the client rests between two attempts to connect.
        package var pause = Duration.milliseconds(500)

        /// A server's address, and how long calls wait.
        package init(_ address: RedisAddress, timeout: Duration) {
            self.address = address
            self.timeout = timeout
        }
    }

    private let group: MultiThreadedEventLoopGroup
    private let link: RedisLink

    /// A client; it begins to connect with ``start(onChange:)`` or the first call.
    package init(_ configuration: Configuration) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        link = RedisLink(configuration, group.next())
    }

    /// Connects, and goes on to do so whenever the connection is lost.
    ///
    /// - Parameter onChange: told why the server cannot be reached, or nil where it can, whenever that changes; on the
    ///   client's thread.
    package func start(onChange: @escaping @Sendable (StorageError?) -> Void = { _ in }) {
        link.loop.execute { [link] in
            link.onChange = onChange
            link.connect()
        }
    }

    /// Sends a command and waits for its answer.
    ///
    /// - Throws: `unreachable` for a server that is away or does not answer in time; `diskFull`, `readOnly` or
    ///   `unwritable` for one that refuses the command.
    package func call(_ arguments: [[UInt8]]) async throws(StorageError) -> RedisValue {
        let answer = await withCheckedContinuation { continuation in
            link.loop.execute { [link] in
                link.submit(arguments) { continuation.resume(returning: $0) }
            }
        }
        return try answer.get()
    }

    /// Closes the connection for good; calls fail from now on.
    package func shutDown() async {
        await withCheckedContinuation { continuation in
            link.loop.execute { [link] in
                link.end()
                continuation.resume()
            }
        }
        try? await group.shutdownGracefully()
    }
}

/// The connection of a client, and the commands that wait for it.
///
/// Sendable because only its event loop's thread uses it.
private final class RedisLink: @unchecked Sendable {
    typealias Answer = Result<RedisValue, StorageError>

    private struct Command {
        let number: UInt64
        let bytes: ByteBuffer
        let timer: Scheduled<Void>?
        let answer: (Answer) -> Void
    }

    private enum State {
        case idle
        case connecting
        case ready
        /// Not before the pause is over; with the reason.
        case resting(StorageError)
        case ended
    }

    let loop: any EventLoop
    var onChange: @Sendable (StorageError?) -> Void = { _ in }
    /// Whether the server could be reached when that was told last.
    private var told: Bool?
    private let configuration: RedisClient.Configuration
    private var state = State.idle
    private var channel: (any Channel)?
    /// Commands that were sent, the oldest first.
    private var sent: [Command] = []
    /// Commands that wait for the connection.
    private var waiting: [Command] = []
    private var lastNumber: UInt64 = 0

    init(_ configuration: RedisClient.Configuration, _ loop: any EventLoop) {
        self.configuration = configuration
        self.loop = loop
    }

    private var timeout: TimeAmount { TimeAmount(configuration.timeout) }

    func submit(_ arguments: [[UInt8]], _ answer: @escaping (Answer) -> Void) {
        if case .idle = state { connect() }
        switch state {
        case .ready: send(command(arguments, answer))
        case .connecting: waiting.append(command(arguments, answer))
        case .resting(let reason): answer(.failure(reason))
        case .idle, .ended: answer(.failure(unreachable("the daemon is ending")))
        }
    }

    func connect() {
        switch state {
        case .idle, .resting: state = .connecting
        case .connecting, .ready, .ended: return
        }
        let connecting = ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [weak self] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(ByteToMessageHandler(RedisDecoder()))
                    try pipeline.addHandler(RedisHandler(self))
                }
            }
            .connect(host: configuration.address.host, port: configuration.address.port)
        connecting.assumeIsolated().whenComplete { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let channel): self.opened(channel)
            case .failure(let error): self.lose(self.unreachable("\(error)"))
            }
        }
    }

    /// The connection is there: says who the daemon is, and sends what waited.
    private func opened(_ channel: any Channel) {
        guard case .connecting = state else { return channel.close(promise: nil) }
        self.channel = channel
        do {
            for words in try greeting() {
                send(
                    command(words.map { Array($0.utf8) }) { [weak self] answer in
                        guard let self else { return }
                        switch answer {
                        case .success(.error(let text)):
                            self.lose(self.unreachable("\(words[0]) was refused: \(text)"))
                        case .success, .failure: break
                        }
                    })
            }
            send(
                command([Array("PING".utf8)]) { [weak self] answer in
                    guard let self, case .connecting = self.state else { return }
                    switch answer {
                    case .success(.error(let text)): self.lose(self.unreachable(text))
                    case .success: self.becomeReady()
                    case .failure: break
                    }
                })
        } catch {
            lose(unreachable("\(error)"))
        }
    }

    private func becomeReady() {
        state = .ready
        tell(nil)
        let waited = waiting
        waiting = []
        for command in waited { send(command) }
    }

    /// The commands with which a connection begins.
    private func greeting() throws -> [[String]] {
        var commands: [[String]] = []
        if let file = configuration.credentialsFile {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            guard let credentials = RedisCredentials(text) else {
                throw StorageError(
                    .unreadable, "\(file): a line PASSWORD or USER PASSWORD expected")
            }
            commands.append(["AUTH"] + [credentials.user, credentials.password].compactMap { $0 })
        }
        let database = configuration.address.database
        if database != 0 { commands.append(["SELECT", String(database)]) }
        return commands
    }

    private func command(
        _ arguments: [[UInt8]], _ answer: @escaping (Answer) -> Void
    ) -> Command {
        var bytes = ByteBuffer()
        RedisValue.encode(arguments, into: &bytes)
        lastNumber += 1
        let number = lastNumber
        let timer = loop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            guard let self else { return }
            self.expire(number)
        }
        return Command(number: number, bytes: bytes, timer: timer, answer: answer)
    }

    private func send(_ command: Command) {
        sent.append(command)
        channel?.writeAndFlush(command.bytes, promise: nil)
    }

    /// A command was not answered in time.
    private func expire(_ number: UInt64) {
        guard (sent + waiting).contains(where: { $0.number == number }) else { return }
        lose(unreachable("no answer within \(configuration.timeout)"))
    }

    /// An answer came over a channel.
    func receive(_ value: RedisValue, over channel: any Channel) {
        guard channel === self.channel, !sent.isEmpty else { return }
        let command = sent.removeFirst()
        command.timer?.cancel()
        if case .connecting = state { return command.answer(.success(value)) }
        guard case .error(let text) = value else { return command.answer(.success(value)) }
        command.answer(.failure(Self.refusal(text, configuration.address)))
    }

    /// A channel has come to its end.
    func closed(_ channel: any Channel, _ reason: String) {
        guard channel === self.channel else { return }
        lose(unreachable(reason))
    }

    /// Gives the connection up, tells everybody who waits, and tries again after a pause.
    private func lose(_ reason: StorageError) {
        if case .ended = state { return }
        rest(reason)
        loop.assumeIsolated().scheduleTask(in: TimeAmount(configuration.pause)) { [weak self] in
            self?.connect()
        }
    }

    private func rest(_ reason: StorageError) {
        state = .resting(reason)
        let lost = sent + waiting
        (sent, waiting) = ([], [])
        let old = channel
        channel = nil
        old?.close(promise: nil)
        for command in lost {
            command.timer?.cancel()
            command.answer(.failure(reason))
        }
        tell(reason)
    }

    private func tell(_ reason: StorageError?) {
        guard told != (reason == nil) else { return }
        told = reason == nil
        onChange(reason)
    }

    func end() {
        rest(unreachable("the daemon is ending"))
        state = .ended
    }

    private func unreachable(_ reason: String) -> StorageError {
        StorageError(.unreachable, "\(configuration.address) cannot be reached: \(reason)")
    }

    /// The error for a refused command.
    private static func refusal(_ text: String, _ address: RedisAddress) -> StorageError {
        let code: StorageError.Code =
            switch text.split(separator: " ").first {
            case "OOM": .diskFull
            case "READONLY", "NOPERM": .readOnly
            case "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN": .unreachable
            default: .unwritable
            }
        return StorageError(code, "\(address) refuses: \(text)")
    }
}

/// Hands what comes over a channel to its link.
private final class RedisHandler: ChannelInboundHandler {
    typealias InboundIn = RedisValue

    private weak var link: RedisLink?
    private var reason = "it closed the connection"

    init(_ link: RedisLink?) { self.link = link }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        link?.receive(unwrapInboundIn(data), over: context.channel)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        reason = "\(error)"
        link?.closed(context.channel, reason)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        link?.closed(context.channel, reason)
        context.fireChannelInactive()
    }
}
