package import PosedAccounts
import PosedErrors
import PosedGuarded

/// A message that came, and the bytes that are charged for it.
package struct Received<Message: Sendable>: Sendable {
    package let message: Message
    /// What the caller's account holds for the message; released when nobody keeps it any more.
    package let hold: Hold

    /// A message as given.
    package init(message: Message, hold: Hold) {
        self.message = message
        self.hold = hold
    }
}

/// One call on a server: its streams, its context and its end.
final class ServerCall: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var reply: MessageBytes?
        /// Reads and writes that wait for the client.
        var waits = 0
        /// Messages that the client has sent.
        var messages = 0
        /// When the client last sent or took something.
        var active: ContinuousClock.Instant
        /// What is charged until the call ends.
        var holds: [Hold] = []
    }

    /// Messages of more bytes are decoded by the server's workers.
    private static let smallMessage = 16 << 10

    let context: ServerContext
    private let core: CoreCall
    private let maxReceiveBytes: Int
    private let reader: MessageReader
    private let writer: MessageWriter
    private let workers: Workers
    private let state: Guarded<State>

    init(
        _ core: CoreCall, context: ServerContext, transport: TransportOptions, workers: Workers
    ) {
        self.core = core
        self.context = context
        self.workers = workers
        maxReceiveBytes = transport.maxReceiveBytes
        reader = MessageReader(core)
        writer = MessageWriter(core, limit: transport.maxSendBytes) { batch in
            if let metadata = context.open() { batch.sendInitialMetadata(metadata) }
        }
        state = Guarded(State(active: context.request.arrival))
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
            state.withLock { $0.holds = [] }
            done(self)
        }
        let cancelled = state.withLock { state in
            state.task = task
            return context.isCancelled
        }
        if cancelled { task.cancel() }
    }

    /// Sends the status of a call that was not admitted, without running anything.
    static func refuse(_ core: CoreCall, _ request: ServerRequest, _ error: RPCError) {
        var trailer = error.metadata
        try? trailer.add(ServerRequest.idKey, request.id)
        let sent = core.start { batch in
            batch.sendInitialMetadata(Metadata())
            batch.receiveClose()
            batch.sendStatus(error.code, error.sentMessage, trailer)
        } completed: { _, _ in
        }
        if !sent { core.cancel(error.code, error.sentMessage) }
    }

    /// Cancels the handler; whoever waits in it goes on with `CancellationError`.
    func cancel(_ reason: CancellationReason) {
        context.cancel(reason)
        if let status = reason.status { core.cancel(status.code, status.message) }
        state.withLock { $0.task }?.cancel()
    }

    /// Whether the call waits for its client, and has done so for too long.
    ///
    /// - Parameters:
    ///   - first: how long it may wait for the first message.
    ///   - idle: how long it may wait afterwards.
    func isOverdue(
        at now: ContinuousClock.Instant, first: Duration, idle: Duration
    ) -> Bool {
        state.withLock { state in
            state.waits > 0
                && state.active.duration(to: now) > (state.messages == 0 ? first : idle)
        }
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
        let sent = await waiting {
            await core.perform { batch in
                if let metadata = context.open() { batch.sendInitialMetadata(metadata) }
                if let reply { batch.send(reply) }
                batch.sendStatus(code, message, trailer)
            }
        }
        if sent == nil { core.cancel(code, message) }
    }

    /// Runs `body`, which waits for the client.
    private func waiting<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        state.withLock { state in
            // What the handler did before counts as activity.
            if state.waits == 0, state.messages > 0 { state.active = .now }
            state.waits += 1
        }
        defer { state.withLock { $0.waits -= 1 } }
        let value = try await body()
        state.withLock { $0.active = .now }
        return value
    }

    // MARK: For handlers

    /// The next message; nil when the client has sent its last.
    func read() async throws -> MessageBytes? {
        switch try await waiting({ try await reader.next() }) {
        case .message(let bytes):
            state.withLock { $0.messages += 1 }
            return bytes
        case .failed: throw CancellationError()
        case .end:
            guard !context.isCancelled else { throw CancellationError() }
            return nil
        }
    }

    /// The next message, decoded and charged to the caller; nil when the client has sent its last.
    ///
    /// - Throws: `RequestError` `resourceExhausted` where the caller's bytes in flight have no room for it,
    ///   the codec's own `RPCError`, or one with `invalidArgument`, for bytes that are no message. The stream
    ///   goes on after each of these.
    func next<Message: Sendable>(
        _ codec: MessageCodec<Message>
    ) async throws -> Received<Message>? {
        guard let bytes = try await read() else { return nil }
        guard bytes.count <= context.largestMessage else {
            throw RPCError(
                .resourceExhausted,
                "\(context.request.method) takes messages of at most \(context.largestMessage) bytes, "
                    + "\(bytes.count) came")
        }
        let hold = try context.account.take(.bytes, bytes.count)
        let message: Message
        if bytes.count <= Self.smallMessage, !bytes.isCompressed {
            message = try decode(bytes, codec, hold)
        } else {
            message = try await workers.run(for: context.account.caller) { [self] in
                try decode(bytes, codec, hold)
            }
        }
        return Received(message: message, hold: hold)
    }

    /// The only message of a call whose client sends one; charged until the call ends.
    func only<Message: Sendable>(_ codec: MessageCodec<Message>) async throws -> Message {
        guard let received = try await next(codec) else {
            throw RPCError(
                .invalidArgument,
                "\(context.request.method) expects one message, the client sent none")
        }
        state.withLock { $0.holds.append(received.hold) }
        return received.message
    }

    func write(_ message: MessageBytes) async throws {
        do {
            try await waiting { try await writer.write(message) }
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

    /// Decodes a message once there is room for what it will take.
    private func decode<Message>(
        _ bytes: MessageBytes, _ codec: MessageCodec<Message>, _ hold: Hold
    ) throws -> Message {
        // What it says of itself is what it may have: the rest is refused.
        if bytes.isCompressed { try hold.resize(to: bytes.count + bytes.inflatedCount) }
        let plain = try bytes.inflated(atMost: min(maxReceiveBytes, context.largestMessage))
        try hold.resize(to: plain.count + codec.decodedBytes(plain))
        do {
            return try codec.decode(plain)
        } catch let error as RPCError {
            throw error
        } catch {
            throw RPCError(
                .invalidArgument,
                "\(context.request.method) expects messages of its own type, but \(bytes.count) "
                    + "bytes came that are none", cause: error)
        }
    }
}
