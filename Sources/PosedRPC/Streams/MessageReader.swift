internal import Synchronization

/// Reads the messages of a call, one at a time, when asked.
final class MessageReader: Sendable {
    private struct State {
        var inbox = MessageInbox()
        var waiting: CheckedContinuation<MessageInbox.Outcome, any Error>?
    }

    private let call: CoreCall
    private let state = Mutex(State())

    init(_ call: CoreCall) {
        self.call = call
    }

    /// The next message, or how the stream ended.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first; the message is not lost.
    ///   `RPCError` with `internal` when another task is reading.
    func next() async throws -> MessageInbox.Outcome {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                ask(continuation)
                if Task.isCancelled { abandon() }
            }
        } onCancel: {
            abandon()
        }
    }

    private func ask(_ continuation: CheckedContinuation<MessageInbox.Outcome, any Error>) {
        let answer = state.withLock { state in
            let answer = state.inbox.ask()
            switch answer {
            case .read, .wait: state.waiting = continuation
            case .deliver, .refuse: break
            }
            return answer
        }
        switch answer {
        case .wait: break
        case .deliver(let outcome): continuation.resume(returning: outcome)
        case .refuse:
            continuation.resume(
                throwing: RPCError(.internal, "two tasks read one stream at the same time"))
        case .read:
            let started = call.start {
                $0.receiveMessage()
            } completed: { [self] batch, success in
                arrive(outcome(batch, success))
            }
            if !started { arrive(.failed) }
        }
    }

    private func outcome(_ batch: Batch, _ success: Bool) -> MessageInbox.Outcome {
        guard success else { return .failed }
        if let message = batch.takeMessage() { return .message(message) }
        return call.failedBeforeMessage ? .failed : .end
    }

    private func arrive(_ outcome: MessageInbox.Outcome) {
        let waiting: CheckedContinuation<MessageInbox.Outcome, any Error>? = state.withLock {
            state in
            guard state.inbox.arrive(outcome) else { return nil }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: outcome)
    }

    private func abandon() {
        let waiting: CheckedContinuation<MessageInbox.Outcome, any Error>? = state.withLock {
            state in
            guard state.inbox.abandon() else { return nil }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(throwing: CancellationError())
    }
}
