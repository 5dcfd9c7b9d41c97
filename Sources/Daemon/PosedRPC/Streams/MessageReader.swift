import PosedGuarded

/// Reads the messages of a call, one at a time, when asked.
final class MessageReader: Sendable {
    private typealias Reader = CheckedContinuation<Void, any Error>
    private typealias Watcher = CheckedContinuation<Void, Never>

    private struct State {
        var inbox = MessageInbox()
        /// The reader who waits, and the number of its asking.
        var waiting: (reader: Reader, number: UInt64)?
        var lastNumber: UInt64 = 0
        /// Those who want to know whether the stream is over.
        var watching: [Watcher] = []
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
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: Reader) in
                ask(continuation, number)
                if Task.isCancelled { abandon(number) }
            }
        } onCancel: {
            abandon(number)
        }
        return state.withLock { state in
            defer { state.delivered = nil }
            return state.delivered ?? .failed
        }
    }

    /// Whether the stream is over. Looks at one message ahead, which the next reader gets.
    ///
    /// A stream that someone reads counts as going on: that reader will learn of its end.
    func isOver() async -> Bool {
        while true {
            switch state.withLock({ $0.inbox.glimpse() }) {
            case .goesOn: return false
            case .over: return true
            case .read: read()
            case .wait: await withCheckedContinuation { watch($0) }
            }
        }
    }

    private func ask(_ continuation: Reader, _ number: UInt64) {
        let answer = state.withLock { state in
            // Nobody else's turn before the one who is being woken has taken what is his.
            guard state.delivered == nil else { return MessageInbox.Answer.refuse }
            let answer = state.inbox.ask()
            switch answer {
            case .read, .wait: state.waiting = (continuation, number)
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
        case .read: read()
        }
    }

    private func watch(_ continuation: Watcher) {
        let glimpse = state.withLock { state in
            let glimpse = state.inbox.glimpse()
            if glimpse == .wait { state.watching.append(continuation) }
            return glimpse
        }
        if glimpse == .read { read() }
        if glimpse != .wait { continuation.resume() }
    }

    private func read() {
        let started = call.start {
            $0.receiveMessage()
        } completed: { [self] batch, success in
            arrive(outcome(batch, success))
        }
        if !started { arrive(.failed) }
    }

    private func outcome(_ batch: Batch, _ success: Bool) -> MessageInbox.Outcome {
        guard success else { return .failed }
        if let message = batch.takeMessage() { return .message(message) }
        return call.failedBeforeMessage ? .failed : .end
    }

    private func arrive(_ outcome: MessageInbox.Outcome) {
        let woken: (reader: Reader?, watchers: [Watcher]) = state.withLock { state in
            let watchers = state.watching
            state.watching = []
            guard state.inbox.arrive(outcome) else { return (nil, watchers) }
            state.delivered = outcome
            defer { state.waiting = nil }
            return (state.waiting?.reader, watchers)
        }
        woken.reader?.resume()
        for watcher in woken.watchers { watcher.resume() }
    }

    /// The reader of that asking gives up; another one waits on.
    private func abandon(_ number: UInt64) {
        let waiting: Reader? = state.withLock { state in
            guard let waiting = state.waiting, waiting.number == number, state.inbox.abandon()
            else { return nil }
            state.waiting = nil
            return waiting.reader
        }
        waiting?.resume(throwing: CancellationError())
    }
}
