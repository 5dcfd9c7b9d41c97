package import Logging
internal import Hummingbird
internal import ServiceLifecycle

/// Serves the daemon's pages over HTTP.
package struct StatusServer: Service {
    private let application: any ApplicationProtocol

    /// A server on an address.
    ///
    /// - Parameter onReady: told the port once the server listens.
    package init(
        address: SocketAddress, pages: StatusPages, logger: Logger,
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
        application = Application(
            router: router,
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
