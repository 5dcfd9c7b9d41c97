/// Which handler serves which method.
package struct Router: Sendable {
    /// Serves one call; its message or messages go through `ServerCall`.
    typealias Handler = @Sendable (ServerCall) async throws -> Void

    private var handlers: [String: Handler] = [:]

    package init() {}

    /// All methods that are served, sorted.
    package var methods: [String] { handlers.keys.sorted() }

    /// Serves a method of one request and one response.
    ///
    /// - Throws: `RPCError` with `alreadyExists` when the method is served, `invalidArgument` when the
    ///   descriptor has another shape.
    package mutating func unary<Request, Response>(
        _ method: MethodDescriptor<Request, Response>,
        _ handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
    ) throws(RPCError) {
        try add(method.path, method.shape, .unary) { call in
            let request = try await call.only(method.requestCodec)
            let response = try await handler(request, call.context)
            try call.reply(try method.encodeResponse(response))
        }
    }

    /// Serves a method of many requests and one response. Throws as `unary`.
    package mutating func clientStreaming<Request, Response>(
        _ method: MethodDescriptor<Request, Response>,
        _ handler:
            @escaping @Sendable (RequestStream<Request>, ServerContext) async throws -> Response
    ) throws(RPCError) {
        try add(method.path, method.shape, .clientStreaming) { call in
            let stream = RequestStream(call, method.requestCodec)
            let response = try await handler(stream, call.context)
            try call.reply(try method.encodeResponse(response))
        }
    }

    /// Serves a method of one request and many responses. Throws as `unary`.
    package mutating func serverStreaming<Request, Response>(
        _ method: MethodDescriptor<Request, Response>,
        _ handler:
            @escaping @Sendable (Request, ResponseWriter<Response>, ServerContext) async throws ->
            Void
    ) throws(RPCError) {
        try add(method.path, method.shape, .serverStreaming) { call in
            let request = try await call.only(method.requestCodec)
            let writer = ResponseWriter(call, encode: method.encodeResponse)
            try await handler(request, writer, call.context)
        }
    }

    /// Serves a method of many requests and many responses. Throws as `unary`.
    package mutating func bidirectional<Request, Response>(
        _ method: MethodDescriptor<Request, Response>,
        _ handler:
            @escaping @Sendable (
                RequestStream<Request>, ResponseWriter<Response>, ServerContext
            ) async throws -> Void
    ) throws(RPCError) {
        try add(method.path, method.shape, .bidirectional) { call in
            let stream = RequestStream(call, method.requestCodec)
            let writer = ResponseWriter(call, encode: method.encodeResponse)
            try await handler(stream, writer, call.context)
        }
    }

    /// The handler of a method; for an unknown one a handler that says so, so that interceptors
    /// see every call.
    func handler(for path: String) -> Handler {
        handlers[path] ?? { call in
            throw RPCError(
                .unimplemented, "there is no method \"\(call.context.request.method)\" here")
        }
    }

    private mutating func add(
        _ path: String, _ shape: CallShape, _ expected: CallShape, _ handler: @escaping Handler
    ) throws(RPCError) {
        guard shape == expected else {
            throw RPCError(
                .invalidArgument,
                "\(path) is \(shape.rawValue), it was to be registered as \(expected.rawValue)")
        }
        guard handlers[path] == nil else {
            throw RPCError(.alreadyExists, "\(path) has a handler already")
        }
        handlers[path] = handler
    }
}
