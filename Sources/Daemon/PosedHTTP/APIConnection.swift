internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
internal import NIOPosix
internal import NIOWebSocket
internal import PosedRPC

/// One connection: HTTP/1.1, and WebSockets at the paths of streams. TLS has ended before.
struct APIConnection: Sendable {
    /// Ends a connection, from any thread.
    typealias HangUp = @Sendable () -> Void
    typealias HTTP = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    typealias Respond = @Sendable (Request, APIContext.Origin) async throws -> Response

    /// What a connection becomes with its first request.
    private enum Kind: Sendable {
        case http(HTTP)
        case webSocket(
            NIOAsyncChannel<WebSocketFrame, WebSocketFrame>, Result<LiveOpening, Problem>)
    }

    /// The largest message over a WebSocket, a pose and settings, in bytes.
    static let maxMessage = 1 << 20
    /// How much of a body that nobody wants is read before the connection is closed, in bytes.
    private static let mostUnread = 1 << 20
    /// How long that may take.
    private static let lingering = Duration.seconds(2)

    let peer: Peer
    let api: API
    let logger: Logger
    let respond: Respond

    /// Serves a connection until either side ends it.
    func serve(_ descriptor: Int32, _ entry: Connections.Entry) async {
        do {
            let (channel, kind) = try await ClientBootstrap(
                group: MultiThreadedEventLoopGroup.singleton
            ).withConnectedSocket(descriptor) { channel in
                channel.eventLoop.makeCompletedFuture { (channel, try configure(channel)) }
            }
            // The acceptor has a second descriptor of the socket, so closing ours would not end the connection.
            let hangUp: HangUp = {
                channel.eventLoop.execute {
                    guard channel.isActive else { return }
                    shutdown(descriptor, Int32(SHUT_RDWR))
                    channel.close(promise: nil)
                }
            }
            try await withTaskCancellationHandler {
                let kind = try await Patience.waiting(api.options.idleTimeout, orElse: hangUp) {
                    try await kind.get()
                }
                switch kind {
                case .http(let channel): try await serve(channel, entry, hangUp)
                case .webSocket(let channel, let opening):
                    await LiveSocket(channel: channel, api: api, hangUp: hangUp).run(opening, entry)
                }
            } onCancel: {
                hangUp()
            }
        } catch {
            logger.debug("A connection broke: \(error)", metadata: ["peer": "\(peer)"])
        }
    }

    private func configure(_ channel: any NIOCore.Channel) throws -> EventLoopFuture<Kind> {
        let upgrader = NIOTypedWebSocketServerUpgrader<Kind>(
            maxFrameSize: Self.maxMessage,
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    // One that is not let in is opened to be closed: pages see no other refusal.
                    let opening = Result { try api.open(head, peer) }.mapError { Problem($0) }
                    return .webSocket(
                        try NIOAsyncChannel(wrappingChannelSynchronously: channel), opening)
                }
            })
        var configuration = NIOUpgradableHTTPServerPipelineConfiguration(
            upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration(
                upgraders: [upgrader], notUpgradingCompletionHandler: { http($0) }))
        configuration.enablePipelining = false
        configuration.enableErrorHandling = false
        configuration.enableResponseHeaderValidation = false
        return try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
            configuration: configuration)
    }

    private func http(_ channel: any NIOCore.Channel) -> EventLoopFuture<Kind> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                HTTP1ToHTTPServerCodec(secure: api.options.isSecure))
            return .http(
                try NIOAsyncChannel(
                    wrappingChannelSynchronously: channel,
                    configuration: .init(isOutboundHalfClosureEnabled: true)))
        }
    }

    // MARK: HTTP

    private func serve(
        _ http: HTTP, _ entry: Connections.Entry, _ hangUp: @escaping HangUp
    ) async throws {
        try await http.executeThenClose { inbound, outbound in
            let parts = HTTPParts(inbound)
            do {
                while true {
                    let part = try await Patience.waiting(api.options.idleTimeout, orElse: hangUp) {
                        try await parts.next()
                    }
                    guard case .head(let head)? = part, entry.begin() else { break }
                    defer { entry.end() }
                    let isLast = try await answer(head, parts, outbound, entry, hangUp)
                    if isLast { break }
                    guard try await parts.skipBody() else { break }
                }
            } catch is HTTPParserError {
                let problem = Problem(
                    .badRequest, .invalidArgument, "this is no request of HTTP/1.1")
                try await write(problem.response, isLast: true, to: outbound, hangUp)
            }
            // The client is to see the answer before it learns that the connection is over.
            outbound.finish()
            await parts.skip(atMost: Self.mostUnread, in: Self.lingering)
            hangUp()
        }
    }

    /// Answers a request; returns whether the connection ends with it.
    private func answer(
        _ head: HTTPRequest, _ parts: HTTPParts,
        _ outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>, _ entry: Connections.Entry,
        _ hangUp: @escaping HangUp
    ) async throws -> Bool {
        let request = Request(head: head, body: RequestBody(asyncSequence: parts.body))
        if head.headerFields[.expect]?.lowercased() == "100-continue" {
            parts.onBody = { try await outbound.write(.head(HTTPResponse(status: .continue))) }
        }
        defer { parts.onBody = nil }
        var response: Response
        do {
            response = try await respond(
                request, .init(logger: logger, peer: peer, connection: entry))
        } catch {
            response = Problem(error).response
        }
        // What the client still sends of a body that was refused is not waited for.
        let isLast =
            head.headerFields[.connection]?.lowercased() == "close" || entry.isDraining
            || head.hasBody && !parts.isAtEnd
        if head.method == .head {
            response.headers[.contentLength] = response.body.contentLength.map(String.init)
            response.body = ResponseBody()
        }
        response.headers[.server] = "posed"
        try await write(response, isLast: isLast, to: outbound, hangUp)
        return isLast
    }

    /// Writes a response. A client that reads nothing of it for too long loses its connection.
    private func write(
        _ response: Response, isLast: Bool,
        to outbound: NIOAsyncChannelOutboundWriter<HTTPResponsePart>, _ hangUp: @escaping HangUp
    ) async throws {
        var response = response
        if isLast { response.headers[.connection] = "close" }
        // A body without a known length may take any time; it bounds the time of each of its parts.
        guard response.body.contentLength != nil else {
            return try await ResponseWriter(outbound: outbound).write(
                response: response.head, body: response.body)
        }
        try await Patience.waiting(api.options.writeTimeout, orElse: hangUp) {
            try await ResponseWriter(outbound: outbound).write(
                response: response.head, body: response.body)
        }
    }
}

/// The parts of a connection's requests, one after the other.
///
/// Sendable because one task reads at a time: the connection's between requests, and that of a request's body.
final class HTTPParts: @unchecked Sendable {
    private var iterator: NIOAsyncChannelInboundStream<HTTPRequestPart>.AsyncIterator
    /// Whether the whole request has been read.
    private(set) var isAtEnd = true
    /// What to do before the first part of a body is waited for.
    var onBody: (@Sendable () async throws -> Void)?

    init(_ inbound: NIOAsyncChannelInboundStream<HTTPRequestPart>) {
        iterator = inbound.makeAsyncIterator()
    }

    /// The next part; nil when the client sends no more.
    func next() async throws -> HTTPRequestPart? {
        let part = try await iterator.next()
        switch part {
        case .head?, .body?: isAtEnd = false
        case .end?, nil: isAtEnd = true
        }
        return part
    }

    /// Reads on to the end of a request; false where the client has gone.
    func skipBody() async throws -> Bool {
        while !isAtEnd {
            guard try await next() != nil else { return false }
        }
        return true
    }

    /// Reads and forgets what still comes, so that the client gets its answer.
    func skip(atMost limit: Int, in time: Duration) async {
        try? await Patience.within(time) { [self] in
            var left = limit
            while left > 0, let part = try await next() {
                if case .body(let bytes) = part { left -= bytes.readableBytes }
            }
        }
    }

    /// The body of the request whose head came last.
    var body: Body { Body(parts: self) }

    struct Body: AsyncSequence, Sendable {
        let parts: HTTPParts

        struct AsyncIterator: AsyncIteratorProtocol, Sendable {
            let parts: HTTPParts

            func next() async throws -> ByteBuffer? {
                if let tell = parts.onBody {
                    parts.onBody = nil
                    try await tell()
                }
                guard !parts.isAtEnd, case .body(let bytes)? = try await parts.next() else {
                    return nil
                }
                return bytes
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(parts: parts) }
    }
}

extension HTTPRequest {
    /// Whether a body follows.
    fileprivate var hasBody: Bool {
        headerFields[.transferEncoding] != nil
            || headerFields[.contentLength].map { $0 != "0" } ?? false
    }
}

/// Waiting for clients, but not for ever.
enum Patience {
    /// A client took too long.
    struct Lost: Error {}

    /// Runs `body`; `orElse` is run where it takes too long, and should make it end.
    static func waiting<Value>(
        _ time: Duration, orElse: @escaping @Sendable () -> Void, _ body: () async throws -> Value
    ) async throws -> Value {
        let alarm = Task {
            try await Task.sleep(for: time)
            orElse()
        }
        defer { alarm.cancel() }
        return try await body()
    }

    /// Runs `body`, which is cancelled when it takes too long.
    ///
    /// - Throws: `Lost` then.
    static func within<Value: Sendable>(
        _ time: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: time)
                throw Lost()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw Lost() }
            return value
        }
    }
}
