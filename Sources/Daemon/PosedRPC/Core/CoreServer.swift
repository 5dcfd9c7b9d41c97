internal import CPosedGRPC
internal import PosedGuarded

/// Owner of a server of the library.
///
/// It must be stopped before it is let go: the library destroys only servers whose shutdown is
/// complete. One that was never stopped stays, and the counts show it.
///
/// Sendable because the library's servers may be used from any thread; the lock guards the rest.
final class CoreServer: @unchecked Sendable {
    private struct State {
        var stopping = false
        var stopped = false
        var waiting: [@Sendable () -> Void] = []
        var arrived: (@Sendable (IncomingCall) -> Void)?
        /// A queue for each call that could not be asked for.
        var missing: [CompletionQueue] = []
    }

    private let handle: OpaquePointer
    private let queues: [CompletionQueue]
    private let entry: ObjectCounts.Entry
    private let state = Guarded(State())

    /// A server whose events come out of `queues`, of which there is at least one.
    ///
    /// - Throws: `RPCError` with `resourceExhausted` when it cannot be made.
    init(options: TransportOptions, queues: [CompletionQueue], objectCounts: ObjectCounts)
        throws(RPCError)
    {
        var native = options.native
        native.accepts_gzip = 1
        guard let handle = posed_grpc_server_create(&native) else {
            throw RPCError(.resourceExhausted, "no server could be made")
        }
        self.handle = handle
        self.queues = queues
        entry = ObjectCounts.Entry(.servers, in: objectCounts)
        for queue in queues { posed_grpc_server_register(handle, queue.handle) }
    }

    deinit {
        if state.withLock({ $0.stopped }) { posed_grpc_server_destroy(handle) }
    }

    func start() {
        posed_grpc_server_start(handle)
    }

    /// Serves a connected socket, which the library closes in the end.
    func adopt(connection descriptor: Int32) {
        posed_grpc_server_adopt_connection(handle, descriptor)
    }

    /// Asks each queue for `count` calls at a time, forever; `arrived` runs on the queue's thread.
    func accept(_ count: Int, _ arrived: @escaping @Sendable (IncomingCall) -> Void) {
        state.withLock { $0.arrived = arrived }
        for queue in queues {
            for _ in 0..<count { request(on: queue) }
        }
    }

    /// Asks again where memory was too short to ask for the next call.
    func replenish() {
        let missing = state.withLock { state in
            defer { state.missing = [] }
            return state.missing
        }
        for queue in missing { request(on: queue) }
    }

    private func request(on queue: CompletionQueue) {
        guard !state.withLock({ $0.stopping }) else { return }
        guard let slot = ArrivalSlot(queue: queue) else {
            return state.withLock { $0.missing.append(queue) }
        }
        slot.completed = { [self] call in
            guard let call, let arrived = state.withLock({ $0.arrived }) else { return }
            request(on: queue)
            arrived(call)
        }
        let tag = queue.tags.issue(.arrival(slot))
        if !posed_grpc_server_request(handle, queue.handle, slot.handle, tag) {
            queue.tags.revoke(tag)
            state.withLock { $0.missing.append(queue) }
        }
    }

    /// Admits no more calls; `done` runs when all calls and connections have ended.
    func stop(_ done: @escaping @Sendable () -> Void) {
        let (first, already) = state.withLock { state in
            let first = !state.stopping
            state.stopping = true
            if !state.stopped { state.waiting.append(done) }
            return (first, state.stopped)
        }
        if already { return done() }
        guard first, let queue = queues.first else { return }
        let tag = queue.tags.issue(.serverStopped(self))
        posed_grpc_server_shutdown(handle, queue.handle, tag)
    }

    func completeStop() {
        let waiting = state.withLock { state in
            state.stopped = true
            state.arrived = nil
            state.missing = []
            defer { state.waiting = [] }
            return state.waiting
        }
        for done in waiting { done() }
    }

    /// Ends all calls and connections. Only after `stop` was called.
    func cancelAll() {
        guard state.withLock({ $0.stopping && !$0.stopped }) else { return }
        posed_grpc_server_cancel_all(handle)
    }
}
