internal import CPosedGRPC

/// A completion queue and the one thread that waits at it.
///
/// Everything that may still put something into the queue keeps this object alive: servers, channels,
/// calls, and through them the tags under way. When the last of them is gone the queue is shut down;
/// its thread drains it, destroys it and ends.
///
/// Sendable because the library's queues may be used from any thread.
package final class CompletionQueue: @unchecked Sendable {
    let handle: OpaquePointer
    let objectCounts: ObjectCounts
    /// What is to come out of the queue.
    let tags: TagTable
    private var hasThread = true

    /// What belongs to the thread: it outlives the object until the queue is drained.
    private final class Drain: @unchecked Sendable {
        let handle: OpaquePointer
        let tags: TagTable
        private let entry: ObjectCounts.Entry

        init(handle: OpaquePointer, objectCounts: ObjectCounts) {
            self.handle = handle
            tags = TagTable(objectCounts: objectCounts)
            entry = ObjectCounts.Entry(.queues, in: objectCounts)
        }

        /// Hands completions out until there will be no more.
        func run() {
            while true {
                let event = posed_grpc_queue_next(handle)
                switch event.kind {
                case POSED_GRPC_EVENT_COMPLETE:
                    deliver(event.tag, success: event.success)
                case POSED_GRPC_EVENT_SHUTDOWN:
                    posed_grpc_queue_destroy(handle)
                    posed_grpc_release()
                    return
                default:
                    continue
                }
            }
        }

        private func deliver(_ tag: UnsafeMutableRawPointer?, success: Bool) {
            switch tags.redeem(tag) {
            case .arrival(let slot): slot.complete(arrived: success)
            case .batch(let batch): batch.complete(success: success)
            case .serverStopped(let server): server.completeStop()
            case .connectivity(let watch): watch.complete(changed: success)
            case nil: assertionFailure("a tag came twice")
            }
        }
    }

    /// Creates the queue and starts its thread, which shows as `name`.
    ///
    /// - Parameter run: starts the thread; tests fail here.
    /// - Throws: `RPCError` with `resourceExhausted` when there is no memory or no thread.
    package init(
        name: String, objectCounts: ObjectCounts,
        run: (String, @escaping @Sendable () -> Void) throws(RPCError) -> Void = NativeThread.run
    ) throws(RPCError) {
        posed_grpc_acquire()
        guard let handle = posed_grpc_queue_create() else {
            posed_grpc_release()
            throw RPCError(.resourceExhausted, "no completion queue could be made")
        }
        self.handle = handle
        self.objectCounts = objectCounts
        let drain = Drain(handle: handle, objectCounts: objectCounts)
        tags = drain.tags
        do {
            try run(name) { drain.run() }
        } catch {
            // Nobody waits at the queue, which is empty: it is drained and destroyed here, and the object, which
            // goes now, must not touch it again.
            hasThread = false
            posed_grpc_queue_shutdown(handle)
            drain.run()
            throw error
        }
    }

    deinit {
        if hasThread { posed_grpc_queue_shutdown(handle) }
    }
}
