internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import PosedAccounts
internal import PosedErrors
internal import PosedGuarded
internal import PosedProtos
internal import PosedRPC
internal import PosedService
internal import SwiftProtobuf

/// The routes of the HTTP interface. Each becomes a message of the protocol and is served by the service that
/// serves it over gRPC, so bounds, defaults, accounts and errors are the same.
struct API: Sendable {
    let services: Services
    let browsers: Browsers
    let host: APIServer.Host
    let options: APIServer.Options
    /// The port of the address, once it is known.
    let port = Port()
    let live = LiveFrames()

    /// A request that was let in, and the session that its path names.
    private typealias Serve = @Sendable (API, Call, _ session: String) async throws -> Response

    /// A path of the API: the method of the protocol that decides who may call it, and what serves it.
    private struct Route: Sendable {
        let method: HTTPRequest.Method
        let path: String
        let rpc: String
        let serve: Serve
    }

    private static let routes: [Route] = [
        Route(method: .get, path: "/v1/models", rpc: CatalogMethods.listModels.path) { api, _, _ in
            try json(api.services.catalog.listModels())
        },
        Route(method: .get, path: "/v1/solvers", rpc: CatalogMethods.listSolvers.path) {
            api, _, _ in
            try json(api.services.catalog.listSolvers())
        },
        Route(method: .get, path: "/v1/sessions", rpc: SessionMethods.list.path) { api, call, _ in
            try await api.list(call)
        },
        Route(method: .post, path: "/v1/sessions", rpc: SessionMethods.create.path) {
            api, call, _ in
            try await api.create(call)
        },
        Route(method: .get, path: "/v1/sessions/:id", rpc: SessionMethods.get.path) {
            api, call, name in
            try json(try await api.services.sessions.get(.with { $0.name = name }, call.caller))
        },
        Route(
            method: .delete, path: "/v1/sessions/:id", rpc: SessionMethods.delete.path
        ) { api, call, name in
            _ = try await api.services.sessions.delete(.with { $0.name = name }, call.caller)
            return Response(status: .noContent)
        },
        Route(
            method: .post, path: "/v1/sessions/:id/frames", rpc: SynthesisMethods.synthesize.path
        ) { api, call, name in try await api.frame(call, session: name) },
        Route(
            method: .get, path: "/v1/sessions/:id/frames.mjpeg", rpc: SynthesisMethods.stream.path
        ) { api, call, name in try await api.watch(call, session: name) },
        Route(
            method: .get, path: "/v1/sessions/:id/stream", rpc: SynthesisMethods.stream.path
        ) { api, call, name in
            // An upgrade that is let in never comes here; one that is not gets its refusal.
            _ = try api.start(session: name, call.request.uri.queryParameters)
            throw Problem(
                .upgradeRequired, .invalidArgument,
                "Upgrade: expected websocket, got something else")
        },
        Route(method: .post, path: "/v1/frames", rpc: SynthesisMethods.synthesize.path) {
            api, call, _ in
            try await api.frame(call, session: nil)
        },
    ]

    /// Registers all paths, and what is told of those that are none.
    func register(in router: Hummingbird.Router<APIContext>) {
        router.middlewares.add(UnknownPaths(api: self))
        router.get("/openapi.json") { _, _ in OpenAPI.response }
        for route in Self.routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                await run(route, request, context)
            }
        }
        registerStudio(in: router)
    }

    /// The methods of a path that is there; empty for any other.
    fileprivate func methods(of path: String) -> [String] {
        let steps = path.split(separator: "/", omittingEmptySubsequences: false)
        return Self.routes.filter { route in
            let pattern = route.path.split(separator: "/", omittingEmptySubsequences: false)
            return pattern.count == steps.count
                && zip(pattern, steps).allSatisfy { $0 == $1 || $0.hasPrefix(":") }
        }.map(\.method.rawValue)
    }

    // MARK: One request

    /// A request whose caller was let in.
    struct Call {
        let request: Request
        let admission: Admission
        let caller: PosedService.Caller
        /// The largest body, in bytes, and how long it may take.
        let limit: (bytes: Int, time: Duration)
        /// Ends the connection.
        let close: @Sendable () -> Void

        /// The media type of the body, without parameters, in lower case.
        var type: String {
            let value = request.headers[.contentType] ?? ""
            return value.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        }

        /// The body, charged to the caller while it arrives and for as long as the hold is kept.
        ///
        /// - Throws: `resourceExhausted` where the caller's account has no room for it; 413 for one that is too
        ///   large, 408 for one that takes too long.
        func body() async throws -> (bytes: Data, hold: Hold) {
            let limit = limit.bytes
            if let told = request.headers[.contentLength].flatMap(Int.init), told > limit {
                throw Self.tooLarge(limit)
            }
            let hold = try admission.account.take(.bytes, 0)
            let body = request.body
            let bytes = try await Patience.within(self.limit.time) {
                var bytes = Data()
                for try await chunk in body {
                    guard bytes.count + chunk.readableBytes <= limit else {
                        throw Self.tooLarge(limit)
                    }
                    try hold.resize(to: bytes.count + chunk.readableBytes)
                    bytes.append(contentsOf: chunk.readableBytesView)
                }
                return bytes
            }
            return (bytes, hold)
        }

        private static func tooLarge(_ limit: Int) -> Problem {
            Problem(
                .contentTooLarge, .resourceExhausted,
                "the body: expected at most \(limit) bytes, more came")
        }
    }

    /// Lets a caller in, runs a route, and makes a problem document of its errors.
    private func run(_ route: Route, _ request: Request, _ context: APIContext) async -> Response {
        let asked: (request: ServerRequest, known: Identity?)
        do {
            asked = try call(
                route.rpc, request.headers, authority: request.head.authority, context.peer)
        } catch {
            return Problem(error).response
        }
        let admission: Admission
        do throws(RPCError) {
            admission = try host.admit(asked.request, asked.known)
        } catch {
            host.refused(asked.request, error)
            return Problem(error).response
        }
        defer { admission.call.release() }
        context.connection.call = .init(
            request: asked.request, known: asked.known, identity: admission.identity)
        let call = Call(
            request: request, admission: admission,
            caller: PosedService.Caller(admission, asked.request),
            limit: (min(options.maxBodyBytes, admission.largestMessage), options.bodyTimeout),
            close: { [connection = context.connection] in connection.cancel() })
        var response: Response?
        do {
            try await host.serve(asked.request, admission.identity) {
                do {
                    let session = context.parameters.get("id").map { "sessions/\($0)" } ?? ""
                    response = try await route.serve(self, call, session)
                } catch {
                    let problem = Problem(error)
                    response = problem.response
                    throw problem.rpcError(cause: error)
                }
            }
        } catch {
            return response ?? Problem(error).response
        }
        return response ?? Problem(CancellationError()).response
    }

    /// What a request asks, and for whom, as far as a browser's cookie says it.
    ///
    /// - Throws: `Problem` for a request that a page of another site made.
    func call(
        _ method: String, _ headers: HTTPFields, authority: String?, _ peer: Peer
    ) throws -> (request: ServerRequest, known: Identity?) {
        var metadata = Metadata()
        var known: Identity?
        if let authorization = headers[.authorization] {
            try metadata.add("authorization", authorization)
        } else {
            // No page can make a browser send a bearer token.
            try origin.check(headers, authority: authority)
            known = browsers.identity(cookies: headers[.cookie])
        }
        for name in [ServerRequest.idKey, "traceparent"] {
            if let field = HTTPField.Name(name), let value = headers[field] {
                try metadata.add(name, value)
            }
        }
        let request = ServerRequest(
            id: ServerRequest.id(from: metadata), method: method, authority: authority ?? "",
            metadata: metadata, peer: peer)
        return (request, known)
    }

    /// What keeps other sites out.
    var origin: OriginCheck {
        let scheme = options.isSecure ? "https" : "http"
        let port = port.number.withLock { $0 }
        let usual = options.isSecure ? 443 : 80
        var hosts = Set(options.hosts.map { $0.lowercased() })
        let own = options.host.contains(":") ? "[\(options.host)]" : options.host
        for host in [own, "localhost", "127.0.0.1", "[::1]"] {
            hosts.insert("\(host):\(port)")
            if port == usual { hosts.insert(host) }
        }
        return OriginCheck(hosts: hosts, scheme: scheme)
    }

    /// A message as JSON, its fields named as in the protocol.
    static func json(_ message: some Message) throws -> Response {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(
                byteBuffer: ByteBuffer(string: try message.jsonString(options: options))))
    }
}

/// A port that is known once the server listens.
final class Port: Sendable {
    let number = Guarded(0)
}

extension PosedService.Caller {
    /// The caller of a request that was let in.
    init(_ admission: Admission, _ request: ServerRequest) {
        self.init(
            owner: admission.identity.description, account: admission.account,
            deadline: request.deadline, arrival: request.arrival)
    }
}

/// Answers what no route answers.
private struct UnknownPaths: RouterMiddleware {
    let api: API

    func handle(
        _ request: Request, context: APIContext,
        next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            let methods = api.methods(of: request.uri.path)
            guard methods.isEmpty else {
                var response = Problem(
                    .methodNotAllowed, .unimplemented,
                    "\(request.uri.path) takes \(methods.joined(separator: " and ")), got \(request.method)"
                ).response
                response.headers[.allow] = methods.joined(separator: ", ")
                return response
            }
            return Problem(
                .notFound, .notFound,
                "there is no \(request.method) \(request.uri.path); /openapi.json lists what there is"
            ).response
        } catch {
            return Problem(error).response
        }
    }
}
