internal import CPosedGRPC
internal import PosedGuarded

/// Owner of the library's call.
///
/// Sendable because the lock makes those who start operations take turns; cancelling needs none.
final class CoreCall: @unchecked Sendable {
    let handle: OpaquePointer
    private let queue: CompletionQueue
    private let entry: ObjectCounts.Entry
    private let turn = Guarded(())

    /// Takes over the caller's hold of `handle`.
    init(_ handle: OpaquePointer, queue: CompletionQueue) {
        self.handle = handle
        self.queue = queue
        entry = ObjectCounts.Entry(.calls, in: queue.objectCounts)
    }

    deinit {
        posed_grpc_call_destroy(handle)
    }

    var objectCounts: ObjectCounts { queue.objectCounts }
    var tags: TagTable { queue.tags }

    /// Starts what `build` puts into a batch. `completed` runs once, on the queue's thread.
    ///
    /// Returns false when it could not be started: then `completed` does not run.
    func start(
        _ build: (Batch) -> Void,
        completed: @escaping @Sendable (Batch, _ success: Bool) -> Void
    ) -> Bool {
        guard let batch = try? Batch(objectCounts: objectCounts) else { return false }
        build(batch)
        return turn.withLock { _ in batch.start(on: self, completed: completed) }
    }

    /// Starts what `build` puts into a batch and waits for it; nil when it could not be started.
    func perform(_ build: (Batch) -> Void) async -> (batch: Batch, success: Bool)? {
        let done = OneShot<(batch: Batch, success: Bool)>()
        guard start(build, completed: { done.fulfil(($0, $1)) }) else { return nil }
        return await done.value()
    }

    /// Ends the call with a status, wherever it is.
    func cancel(_ code: StatusCode, _ message: String) {
        posed_grpc_call_cancel(handle, code.rawValue, message)
    }

    /// Whether the last message failed to come because of an error, not of the stream's end.
    var failedBeforeMessage: Bool {
        posed_grpc_call_failed_before_message(handle)
    }
}
