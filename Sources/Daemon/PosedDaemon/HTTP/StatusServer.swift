internal import Hummingbird
package import Logging
internal import NIOCore
internal import PosedAccounts
package import PosedBase
internal import PosedGuarded
internal import ServiceLifecycle

/// Serves the daemon's pages over HTTP.
package struct StatusServer: Service {
    private let application: any ApplicationProtocol

    /// A server on an address.
    ///
    /// - Parameters:
    ///   - idleTime: How long a connection may go without a whole request.
    ///   - onReady: Told the port once the server listens.
    package init(
        address: HostPort, pages: StatusPages, logger: Logger,
        idleTime: Duration = .seconds(15),
        onReady: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        let router = Router()
        for path in StatusPages.paths {
            for method in [HTTPRequest.Method.get, .head] {
                router.on(RouterPath(path), method: method) { _, _ in
                    Self.response(pages.page(path), body: method == .get)
                }
            }
        }
        router.middlewares.add(NotFoundMiddleware(pages: pages))
        var quiet = logger
        quiet.logLevel = .warning
        let connections = PageConnections()
        application = Application(
            router: router,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [PageConnection(connections)],
                    idleTimeout: TimeAmount(idleTime))),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: "posed"),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? address.port) },
            logger: quiet)
    }

    package func run() async throws {
        try await application.run()
    }

    fileprivate static func response(_ page: StatusPages.Page, body: Bool) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = page.contentType
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        let bytes = ByteBuffer(string: page.body)
        if !body { headers[.contentLength] = String(bytes.readableBytes) }
        return Response(
            status: HTTPResponse.Status(code: page.status), headers: headers,
            body: body ? ResponseBody(byteBuffer: bytes) : ResponseBody())
    }
}

/// Answers what there is no page for in the daemon's own words.
private struct NotFoundMiddleware: RouterMiddleware {
    let pages: StatusPages

    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            guard !StatusPages.paths.contains(request.uri.path) else {
                var response = StatusServer.response(.methods, body: true)
                response.headers[.allow] = "GET, HEAD"
                return response
            }
            return StatusServer.response(pages.page(request.uri.path), body: true)
        }
    }
}

/// The open connections to the pages. Beyond a bound the one of a peer, or of all, that has been silent longest leaves
/// for a newer one, so that whoever asks at once is answered however many connections somebody keeps open.
private final class PageConnections: Sendable {
    private static let most = 128
    private static let mostEach = 16

    private struct Connection {
        let id: ObjectIdentifier
        let caller: Caller
        let channel: any Channel
    }

    /// In the order in which they last said something, or came.
    private let open = Guarded<[Connection]>([])

    /// Takes a connection in, until it is closed.
    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let caller = Caller(address: channel.remoteAddress?.ipAddress ?? "")
        let leaving: (any Channel)? = open.withLock { open in
            let own = open.filter { $0.caller == caller }
            open.append(Connection(id: id, caller: caller, channel: channel))
            if own.count >= Self.mostEach { return own.first?.channel }
            return open.count > Self.most ? open.first?.channel : nil
        }
        channel.closeFuture.whenComplete { [self] _ in
            open.withLock { $0.removeAll { $0.id == id } }
        }
        leaving?.close(promise: nil)
    }

    /// A connection has said something.
    func touch(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        open.withLock { open in
            guard let index = open.firstIndex(where: { $0.id == id }) else { return }
            open.append(open.remove(at: index))
        }
    }
}

/// The place of a connection among the others.
private final class PageConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Never

    private let connections: PageConnections

    init(_ connections: PageConnections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) { connections.add(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connections.touch(context.channel)
        context.fireChannelRead(data)
    }
}
