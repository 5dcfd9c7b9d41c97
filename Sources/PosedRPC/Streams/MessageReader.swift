/// Reads the messages of a call, one at a time, when asked.
final class MessageReader: Sendable {
    private struct State {
        var inbox = MessageInbox()
        var waiting: CheckedContinuation<Void, any Error>?
        /// For the reader who is being woken.
        var delivered: MessageInbox.Outcome?
    }

    private let call: CoreCall
    private let state = Guarded(State())

    init(_ call: CoreCall) {
        self.call = call
    }

    /// The next message, or how the stream ended.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first; the message is not lost.
    ///   `RPCError` with `internal` when another task is reading.
    func next() async throws -> MessageInbox.Outcome {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Void, any Error>) in
                ask(continuation)
                if Task.isCancelled { abandon() }
            }
        } onCancel: {
            abandon()
        }
        return state.withLock { state in
            defer { state.delivered = nil }
            return state.delivered ?? .failed
        }
    }

    private func ask(_ continuation: CheckedContinuation<Void, any Error>) {
        let answer = state.withLock { state in
            // Nobody else's turn before the one who is being woken has taken what is his.
            guard state.delivered == nil else { return MessageInbox.Answer.refuse }
            let answer = state.inbox.ask()
            switch answer {
            case .read, .wait: state.waiting = continuation
            case .deliver(let outcome): state.delivered = outcome
            case .refuse: break
            }
            return answer
        }
        switch answer {
        case .wait: break
        case .deliver: continuation.resume()
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
        let waiting: CheckedContinuation<Void, any Error>? = state.withLock {
            state in
            guard state.inbox.arrive(outcome) else { return nil }
            state.delivered = outcome
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    private func abandon() {
        let waiting: CheckedContinuation<Void, any Error>? = state.withLock {
            state in
            guard state.inbox.abandon() else { return nil }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(throwing: CancellationError())
    }
}
