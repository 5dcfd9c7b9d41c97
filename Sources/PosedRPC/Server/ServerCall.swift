import PosedGuarded

/// One call on a server: its streams, its context and its end.
final class ServerCall: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var reply: MessageBytes?
    }

    let context: ServerContext
    private let core: CoreCall
    private let maxReceiveBytes: Int
    private let reader: MessageReader
    private let writer: MessageWriter
    private let state = Guarded(State())

    init(_ core: CoreCall, context: ServerContext, transport: TransportOptions) {
        self.core = core
        self.context = context
        maxReceiveBytes = transport.maxReceiveBytes
        reader = MessageReader(core)
        writer = MessageWriter(core, limit: transport.maxSendBytes) { batch in
            if let metadata = context.open() { batch.sendInitialMetadata(metadata) }
        }
    }

    // MARK: From the arrival to the end

    /// Watches for the call's end and runs `body` in a task; `done` runs after the status was sent.
    func serve(
        _ body: @escaping @Sendable (ServerCall) async throws -> Void,
        done: @escaping @Sendable (ServerCall) -> Void
    ) {
        let watched = core.start {
            $0.receiveClose()
        } completed: { [self] batch, _ in
            if batch.cancelled { cancel(cancellationReason) }
        }
        guard watched else {
            core.cancel(.internal, "the call could not be watched")
            return done(self)
        }
        let task = Task {
            do {
                try await body(self)
                await finish(nil)
            } catch {
                await finish(RPCError(error, in: context))
            }
            done(self)
        }
        let cancelled = state.withLock { state in
            state.task = task
            return context.isCancelled
        }
        if cancelled { task.cancel() }
    }

    /// Sends a status without running anything.
    func refuse(_ error: RPCError) {
        context.settle()
        let sent = core.start { batch in
            batch.sendInitialMetadata(Metadata())
            batch.receiveClose()
            batch.sendStatus(error.code, error.sentMessage, error.metadata)
        } completed: { _, _ in
        }
        if !sent { core.cancel(error.code, error.sentMessage) }
    }

    /// Cancels the handler; whoever waits in it goes on with `CancellationError`.
    func cancel(_ reason: CancellationReason) {
        context.cancel(reason)
        if reason == .shutdown {
            core.cancel(.unavailable, "the server is shutting down")
        }
        state.withLock { $0.task }?.cancel()
    }

    /// A cancellation that came with the deadline counts as the deadline's, whoever was first.
    private var cancellationReason: CancellationReason {
        guard let deadline = context.request.deadline else { return .client }
        return ContinuousClock.now.advanced(by: .milliseconds(20)) >= deadline ? .deadline : .client
    }

    private func finish(_ error: RPCError?) async {
        context.settle()
        writer.close()
        guard !context.isCancelled else { return }
        let code = error?.code ?? .ok
        let message = error?.sentMessage ?? ""
        // A message is under way whose writer gave up: the status cannot overtake it in order.
        guard !writer.isSending else { return core.cancel(code, message) }
        var trailer = context.trailingMetadata
        if let error { trailer.append(contentsOf: error.metadata) }
        trailer.remove(ServerRequest.idKey)
        try? trailer.add(ServerRequest.idKey, context.request.id)
        let reply = error == nil ? state.withLock { $0.reply } : nil
        let sent = await core.perform { batch in
            if let metadata = context.open() { batch.sendInitialMetadata(metadata) }
            if let reply { batch.send(reply) }
            batch.sendStatus(code, message, trailer)
        }
        if sent == nil { core.cancel(code, message) }
    }

    // MARK: For handlers

    /// The next message; nil when the client has sent its last.
    func read() async throws -> MessageBytes? {
        switch try await reader.next() {
        case .message(let bytes): return try bytes.inflated(atMost: maxReceiveBytes)
        case .failed: throw CancellationError()
        case .end:
            guard !context.isCancelled else { throw CancellationError() }
            return nil
        }
    }

    /// The only message of a call whose client sends one.
    func readOnly() async throws -> MessageBytes {
        guard let bytes = try await read() else {
            throw RPCError(
                .invalidArgument,
                "\(context.request.method) expects one message, the client sent none")
        }
        return bytes
    }

    func write(_ message: MessageBytes) async throws {
        do {
            try await writer.write(message)
        } catch is BrokenCall {
            throw CancellationError()
        }
    }

    func open() async throws {
        guard let metadata = context.open() else { return }
        let sent = await core.perform { $0.sendInitialMetadata(metadata) }
        guard sent?.success == true else { throw CancellationError() }
    }

    /// The only message of the answer; it goes together with the status.
    func reply(_ message: MessageBytes) throws(RPCError) {
        try writer.check(message)
        state.withLock { $0.reply = message }
    }

    /// `bytes` as a message.
    ///
    /// - Throws: the codec's own `RPCError`, or one with `invalidArgument`.
    static func decoded<Message>(
        _ bytes: MessageBytes, _ decode: (MessageBytes) throws -> Message, _ method: String
    ) throws(RPCError) -> Message {
        do {
            return try decode(bytes)
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(
                .invalidArgument,
                "\(method) expects messages of its own type, but \(bytes.count) bytes came that"
                    + " are none",
                cause: error)
        }
    }
}
