package import PosedErrors
import PosedGuarded

/// The ledger of a stream between the task that takes poses and the one that sends answers.
///
/// A client that does not read its answers stops being read, once `capacity` poses await theirs: that is
/// what bounds the memory of a stream.
package final class StreamWindow: Sendable {
    private struct State {
        var ledger: StreamLedger
        var isClosed = false
        var isFinished = false
        var waiting: CheckedContinuation<Bool, Never>?
    }

    private let state: Guarded<State>

    /// A window of at most `capacity` poses at a time.
    package init(capacity: Int) {
        state = Guarded(State(ledger: StreamLedger(capacity: capacity)))
    }

    /// Waits until another pose may be read; false when none will be, because the window was closed or
    /// the task was cancelled. For one task.
    package func room() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.isClosed || Task.isCancelled { return false }
                    if state.ledger.hasRoom { return true }
                    state.waiting = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            close()
        }
    }

    /// What is wrong with the number of the next pose; nil if it may follow.
    package func follow(_ sequence: UInt64) -> RequestError? {
        state.withLock { $0.ledger.follow(sequence) }
    }

    /// Takes a pose, before the engine hears of it; false when the window was closed.
    package func take(_ entry: StreamLedger.Entry) -> Bool {
        state.withLock { state in
            if !state.isClosed { state.ledger.take(entry) }
            return !state.isClosed
        }
    }

    /// The pose that the next answer is for; nil if there is none.
    package func answer() -> StreamLedger.Entry? {
        state.withLock { $0.ledger.answer() }
    }

    /// An answer was sent.
    package func sent() {
        let waiting: CheckedContinuation<Bool, Never>? = state.withLock { state in
            guard state.ledger.hasRoom else { return nil }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: true)
    }

    /// No more poses are taken.
    package func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: false)
    }

    /// The client has sent its last pose.
    package func finish() { state.withLock { $0.isFinished = true } }

    /// Whether the client has sent its last pose.
    package var isFinished: Bool { state.withLock { $0.isFinished } }
}
