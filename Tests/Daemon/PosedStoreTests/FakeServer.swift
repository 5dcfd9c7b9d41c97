import NIOCore
import NIOPosix
import PosedGuarded
import PosedStore

/// A server of RESP2 in this process that answers as a test says.
final class FakeServer: Sendable {
    /// What to do with a command.
    enum Reaction: Sendable {
        case answer(String)
        /// Say nothing.
        case wait
        case hangUp
    }

    private let state = Guarded<(react: @Sendable ([String]) -> Reaction, seen: [[String]])>(
        ({ _ in .answer("+OK\r\n") }, []))
    private let channel = Guarded<(any Channel)?>(nil)
    private let port = Guarded(0)

    /// What to do with each command from now on.
    func react(_ reaction: @escaping @Sendable ([String]) -> Reaction) {
        state.withLock { $0.react = reaction }
    }

    /// The commands that came.
    var seen: [[String]] { state.withLock { $0.seen } }

    var address: RedisAddress? { RedisAddress("redis://127.0.0.1:\(port.withLock { $0 })") }

    /// Listens, at the same port as before.
    func start() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(ByteToMessageHandler(RedisDecoder()))
                    try pipeline.addHandler(Handler(self))
                }
            }
            .bind(host: "127.0.0.1", port: port.withLock { $0 }).get()
        port.withLock { $0 = server.localAddress?.port ?? 0 }
        channel.withLock { $0 = server }
    }

    /// Listens no more.
    func stop() async throws {
        let server = channel.withLock { channel in
            defer { channel = nil }
            return channel
        }
        try await server?.close()
    }

    fileprivate func take(_ command: [String]) -> Reaction {
        let react = state.withLock { state in
            state.seen.append(command)
            return state.react
        }
        return react(command)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = RedisValue
        typealias OutboundOut = ByteBuffer

        private let server: FakeServer

        init(_ server: FakeServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .array(let words?) = unwrapInboundIn(data) else { return }
            switch server.take(words.map { $0.text ?? "" }) {
            case .answer(let text):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .wait: break
            case .hangUp: context.close(promise: nil)
            }
        }
    }
}
