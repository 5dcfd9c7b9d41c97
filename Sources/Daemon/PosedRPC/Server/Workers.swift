internal import Dispatch
package import PosedAccounts
internal import PosedGuarded
internal import Synchronization

/// A few threads for work that takes the processor for a while: decoding large messages, and reading and
/// writing pictures. The threads of Swift's tasks stay free for everybody meanwhile.
///
/// Callers take turns: a caller with much work delays its own work, and that of the others by one piece at
/// most. Work whose task is cancelled before it begins is left undone.
package final class Workers: Sendable {
    private typealias Piece = @Sendable () -> Void

    private struct State {
        var running = 0
        /// What waits, by caller, and the order in which the callers are served.
        var lines: [Caller: [Piece]] = [:]
        var turns: [Caller] = []
    }

    private let threads: Int
    private let queue: DispatchQueue
    private let state = Guarded(State())

    /// Workers of that many threads.
    package init(threads: Int) {
        self.threads = max(1, threads)
        queue = DispatchQueue(label: "posed.workers", qos: .userInitiated, attributes: .concurrent)
    }

    /// Carries out `work` on one of the threads.
    ///
    /// - Throws: What `work` throws, and `CancellationError` when the task was cancelled before it began.
    package func run<Value: Sendable>(
        for caller: Caller, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let isCancelled = Flag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                add(for: caller) {
                    continuation.resume(
                        with: Result {
                            if isCancelled.isRaised { throw CancellationError() }
                            return try work()
                        })
                }
            }
        } onCancel: {
            isCancelled.raise()
        }
    }

    /// Pieces of work that were not begun.
    package var waiting: Int { state.withLock { $0.lines.values.reduce(0) { $0 + $1.count } } }

    private func add(for caller: Caller, _ piece: @escaping Piece) {
        let begins = state.withLock { state in
            if state.lines[caller] == nil { state.turns.append(caller) }
            state.lines[caller, default: []].append(piece)
            guard state.running < threads else { return false }
            state.running += 1
            return true
        }
        if begins { queue.async { [self] in work() } }
    }

    private func work() {
        while let piece = next() { piece() }
    }

    /// The next piece of the caller whose turn it is; nil when there is none and the thread is done.
    private func next() -> Piece? {
        state.withLock { state in
            guard let caller = state.turns.first, var line = state.lines[caller], !line.isEmpty
            else {
                state.running -= 1
                return nil
            }
            state.turns.removeFirst()
            let piece = line.removeFirst()
            if line.isEmpty {
                state.lines[caller] = nil
            } else {
                state.lines[caller] = line
                state.turns.append(caller)
            }
            return piece
        }
    }

    /// Something that happens once.
    private final class Flag: Sendable {
        private let value = Atomic(false)

        var isRaised: Bool { value.load(ordering: .relaxed) }

        func raise() { value.store(true, ordering: .relaxed) }
    }
}
