import PosedGuarded

/// A client's connection to a server, made when first needed and made anew when it breaks.
package final class Channel: Sendable {
    private let configuration: ChannelConfiguration
    private let core: Guarded<CoreChannel?>

    /// - Throws: `RPCError` with `failedPrecondition` when certificates cannot be read.
    package init(_ configuration: ChannelConfiguration) throws(RPCError) {
        self.configuration = configuration
        let queue = try CompletionQueue(
            name: "posed-rpc-call", objectCounts: configuration.objectCounts)
        core = Guarded(try Channel.connect(configuration, queue))
    }

    /// Reads the certificates again; calls from now on use a new connection with them.
    ///
    /// - Throws: as the initializer; then everything stays as it was.
    package func reloadCertificates() throws(RPCError) {
        guard let queue = core.withLock({ $0?.queue }) else { return }
        let new = try Channel.connect(configuration, queue)
        let old = core.withLock { core in
            defer { if core != nil { core = new } }
            return core
        }
        _ = old  // released outside of the lock
    }

    private static func connect(
        _ configuration: ChannelConfiguration, _ queue: CompletionQueue
    ) throws(RPCError) -> CoreChannel {
        try CoreChannel(
            target: configuration.address, options: configuration.transport,
            security: configuration.security, userAgent: configuration.userAgent, queue: queue)
    }

    /// Makes no more calls; those under way go on, and keep the connection until they end.
    package func close() {
        let closed = core.withLock { core in
            defer { core = nil }
            return core
        }
        _ = closed  // released outside of the lock
    }

    /// Whether calls can be made right now; with `connect` an idle channel begins to connect.
    package func connectivity(connect: Bool = false) -> Connectivity {
        core.withLock { $0 }?.connectivity(connect: connect) ?? .shutdown
    }

    /// Connects and returns whether the channel was ready within `time`.
    package func ready(within time: Duration) async -> Bool {
        guard let core = core.withLock({ $0 }) else { return false }
        let end = ContinuousClock.now.advanced(by: time)
        while true {
            let state = core.connectivity(connect: true)
            if state == .ready { return true }
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero, !Task.isCancelled else { return false }
            guard await core.changed(from: state, within: left) else { return false }
        }
    }

    // MARK: Calls

    /// One request, one response.
    ///
    /// - Throws: `RPCError` with the status of a call that failed, `CancellationError` when the task
    ///   was cancelled.
    package func unary<Request, Response>(
        _ method: MethodDescriptor<Request, Response>, _ request: Request,
        options: CallOptions = CallOptions()
    ) async throws -> Response {
        try await unaryResponse(method, request, options: options).message
    }

    /// One request, one response, with the response's metadata. Throws as `unary`.
    package func unaryResponse<Request, Response>(
        _ method: MethodDescriptor<Request, Response>, _ request: Request,
        options: CallOptions = CallOptions()
    ) async throws -> ClientResponse<Response> {
        let message = try method.encodeRequest(request)
        let (core, metadata) = try begin(method.path, options)
        try checkSize(message)
        try Task.checkCancellation()
        let done = await withTaskCancellationHandler {
            await core.perform { batch in
                batch.sendInitialMetadata(metadata, waitForReady: options.waitForReady)
                batch.send(message)
                batch.sendClose()
                batch.receiveInitialMetadata()
                batch.receiveMessage()
                batch.receiveStatus()
            }
        } onCancel: {
            core.cancel(.cancelled, "the client cancelled the call")
        }
        guard let batch = done?.batch else {
            throw RPCError(.internal, "the call of \(method.path) could not be begun")
        }
        let status = batch.status
        guard status.code == .ok else {
            if Task.isCancelled, status.code == .cancelled { throw CancellationError() }
            throw RPCError(status.code, status.message, metadata: batch.trailingMetadata)
        }
        guard let bytes = batch.takeMessage() else {
            throw RPCError(.internal, "the server answered \(method.path) without a message")
        }
        return ClientResponse(
            message: try Channel.decoded(bytes, method), initialMetadata: batch.initialMetadata,
            trailingMetadata: batch.trailingMetadata)
    }

    /// Begins a call of any shape; messages are written and read with what is returned.
    ///
    /// - Throws: `RPCError` when the call cannot be begun; a server out of reach shows later.
    package func stream<Request, Response>(
        _ method: MethodDescriptor<Request, Response>, options: CallOptions = CallOptions()
    ) throws -> StreamingCall<Request, Response> {
        let (core, metadata) = try begin(method.path, options)
        let transport = ClientTransport(
            core, metadata: metadata, options: options,
            maxSendBytes: configuration.transport.maxSendBytes)
        return StreamingCall(transport, method)
    }

    /// One request, many responses: a call whose only request has been sent. Throws as `unary`.
    package func serverStreaming<Request, Response>(
        _ method: MethodDescriptor<Request, Response>, _ request: Request,
        options: CallOptions = CallOptions()
    ) async throws -> StreamingCall<Request, Response> {
        let call = try stream(method, options: options)
        try await call.write(request)
        try await call.finishWriting()
        return call
    }

    /// Many requests, one response: sends what `requests` has and waits for the answer. Throws as
    /// `unary`, and what `requests` throws.
    package func clientStreaming<Request, Response, Requests: AsyncSequence>(
        _ method: MethodDescriptor<Request, Response>, _ requests: Requests,
        options: CallOptions = CallOptions()
    ) async throws -> Response where Requests.Element == Request {
        let call = try stream(method, options: options)
        for try await request in requests {
            // The server may answer without reading everything.
            guard try await call.offer(request) else { break }
        }
        try await call.finishWriting()
        guard let response = try await call.next() else {
            throw RPCError(.internal, "the server answered \(method.path) without a message")
        }
        _ = try await call.next()  // the status
        return response
    }

    // MARK: What calls share

    private func begin(
        _ path: String, _ options: CallOptions
    ) throws -> (core: CoreCall, metadata: Metadata) {
        var metadata = try configuration.metadata()
        metadata.append(contentsOf: options.metadata)
        guard let core = core.withLock({ $0 }) else {
            throw RPCError(.unavailable, "the channel has been closed")
        }
        return (try core.call(path, timeLeft: options.timeout), metadata)
    }

    private func checkSize(_ message: MessageBytes) throws(RPCError) {
        let limit = configuration.transport.maxSendBytes
        guard message.count <= limit else {
            throw RPCError(
                .resourceExhausted,
                "a message to send may have \(limit) bytes, this one has \(message.count)")
        }
    }

    static func decoded<Request, Response>(
        _ bytes: MessageBytes, _ method: MethodDescriptor<Request, Response>
    ) throws(RPCError) -> Response {
        do {
            return try method.decodeResponse(bytes)
        } catch {
            throw RPCError(
                .internal,
                "the server answered \(method.path) with \(bytes.count) bytes that are no such"
                    + " message",
                cause: error)
        }
    }
}
