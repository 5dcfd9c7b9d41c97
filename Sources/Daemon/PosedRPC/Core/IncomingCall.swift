internal import CPosedGRPC

/// A call that reached a server, before anyone looked at it.
struct IncomingCall: Sendable {
    let core: CoreCall
    let method: String
    let authority: String
    /// Time until the client gives up; nil when it waits forever.
    let timeLeft: Duration?
    let metadata: Metadata
}

/// Room in which one call arrives.
///
/// Sendable because it has one user at a time: who makes it, the library, the thread that delivers it.
final class ArrivalSlot: @unchecked Sendable {
    let handle: OpaquePointer
    private let queue: CompletionQueue
    /// Runs once, on the queue's thread, with the call or with nil when none will come.
    var completed: ((IncomingCall?) -> Void)?

    /// Nil when memory is short.
    init?(queue: CompletionQueue) {
        guard let handle = posed_grpc_arrival_create() else { return nil }
        self.handle = handle
        self.queue = queue
    }

    deinit {
        posed_grpc_arrival_destroy(handle)
    }

    func complete(arrived: Bool) {
        let completed = completed
        self.completed = nil
        completed?(arrived ? take() : nil)
    }

    private func take() -> IncomingCall? {
        guard let call = posed_grpc_arrival_take_call(handle) else { return nil }
        let left = posed_grpc_arrival_time_left(handle)
        return IncomingCall(
            core: CoreCall(call, queue: queue),
            method: String(posed_grpc_arrival_method(handle)),
            authority: String(posed_grpc_arrival_authority(handle)),
            timeLeft: left == .max ? nil : .nanoseconds(left),
            metadata: Metadata(count: posed_grpc_arrival_metadata_count(handle)) {
                posed_grpc_arrival_metadata(handle, $0)
            })
    }
}
