import PosedGuarded

/// Writes the messages of a call, one under way at a time, in the order of asking.
final class MessageWriter: Sendable {
    /// What adds to the first batch that goes out: a server's initial metadata.
    typealias Opening = @Sendable (Batch) -> Void

    private struct State {
        var outbox = MessageOutbox()
        var messages: [MessageOutbox.Entry: MessageBytes] = [:]
        var waiting: [MessageOutbox.Entry: CheckedContinuation<Void, any Error>] = [:]
    }

    private let call: CoreCall
    private let limit: Int
    private let opening: Opening
    private let state = Guarded(State())

    /// - Parameter limit: the largest message to send, bytes.
    /// - Parameter opening: called for each batch before it goes out.
    init(_ call: CoreCall, limit: Int, opening: @escaping Opening = { _ in }) {
        self.call = call
        self.limit = limit
        self.opening = opening
    }

    /// Whether a message is under way whose writer may have given up.
    var isSending: Bool { state.withLock { $0.outbox.isSending } }

    /// Returns when the library has taken the message, which is when the peer's window let it pass.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first, `RPCError` with
    ///   `resourceExhausted` for a message beyond the limit, `BrokenCall` when the call is over.
    func write(_ message: MessageBytes) async throws {
        try check(message)
        let entry = Guarded<MessageOutbox.Entry?>(nil)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let mine = offer(message, continuation)
                entry.withLock { $0 = mine }
                if Task.isCancelled, let mine { abandon(mine) }
            }
        } onCancel: {
            if let mine = entry.withLock({ $0 }) { abandon(mine) }
        }
    }

    /// - Throws: `RPCError` with `resourceExhausted` for a message beyond the limit.
    func check(_ message: MessageBytes) throws(RPCError) {
        guard message.count <= limit else {
            throw RPCError(
                .resourceExhausted,
                "a message to send may have \(limit) bytes, this one has \(message.count)")
        }
    }

    /// Nothing more will be written; writers in line fail.
    func close() {
        let failed = state.withLock { state in
            take(state.outbox.close(), &state)
        }
        for continuation in failed { continuation.resume(throwing: BrokenCall()) }
    }

    private func offer(
        _ message: MessageBytes, _ continuation: CheckedContinuation<Void, any Error>
    ) -> MessageOutbox.Entry? {
        let answer = state.withLock { state in
            let answer = state.outbox.offer()
            switch answer {
            case .send(let entry): state.waiting[entry] = continuation
            case .queue(let entry):
                state.waiting[entry] = continuation
                state.messages[entry] = message
            case .refuse: break
            }
            return answer
        }
        switch answer {
        case .refuse:
            continuation.resume(throwing: BrokenCall())
            return nil
        case .queue(let entry): return entry
        case .send(let entry):
            send(message)
            return entry
        }
    }

    private func send(_ message: MessageBytes) {
        let started = call.start { batch in
            opening(batch)
            batch.send(message)
        } completed: { [self] _, success in
            complete(success)
        }
        if !started { complete(false) }
    }

    private func complete(_ success: Bool) {
        typealias Step = (
            done: CheckedContinuation<Void, any Error>?, next: MessageBytes?,
            failed: [CheckedContinuation<Void, any Error>]
        )
        let step: Step = state.withLock { state in
            let step = state.outbox.complete(success: success)
            return (
                step.done.flatMap { state.waiting.removeValue(forKey: $0) },
                step.next.flatMap { state.messages.removeValue(forKey: $0) },
                take(step.failed, &state)
            )
        }
        if success { step.done?.resume() } else { step.done?.resume(throwing: BrokenCall()) }
        for continuation in step.failed { continuation.resume(throwing: BrokenCall()) }
        if let next = step.next { send(next) }
    }

    private func take(
        _ tickets: [MessageOutbox.Entry], _ state: inout State
    ) -> [CheckedContinuation<Void, any Error>] {
        for entry in tickets { state.messages.removeValue(forKey: entry) }
        return tickets.compactMap { state.waiting.removeValue(forKey: $0) }
    }

    private func abandon(_ entry: MessageOutbox.Entry) {
        let waiting = state.withLock { state in
            state.outbox.abandon(entry)
            state.messages.removeValue(forKey: entry)
            return state.waiting.removeValue(forKey: entry)
        }
        waiting?.resume(throwing: CancellationError())
    }
}

/// The call ended while a message was to be sent; why, its status says.
struct BrokenCall: Error {}
