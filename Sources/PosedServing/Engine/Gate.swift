import PosedErrors
import PosedGuarded

/// Counts what was accepted and is not finished, and lets nothing in any more once it is closed.
final class Gate: Sendable {
    private struct State {
        var isClosed = false
        var inside = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    /// Accepts something.
    ///
    /// - Throws: `unavailable` once the gate is closed.
    func enter() throws(RequestError) {
        let isOpen = state.withLock { state in
            if !state.isClosed { state.inside += 1 }
            return !state.isClosed
        }
        guard isOpen else {
            throw RequestError(
                .unavailable, "the daemon finishes what it has accepted and takes no new work")
        }
    }

    /// Something accepted is finished.
    func leave() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.inside -= 1
            guard state.inside == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Accepts nothing any more.
    func close() { state.withLock { $0.isClosed = true } }

    /// Whether it accepts nothing any more.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// What was accepted and is not finished.
    var inside: Int { state.withLock { $0.inside } }

    /// Waits until all that was accepted is finished.
    func settled() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.inside > 0 { state.waiting.append(continuation) }
                return state.inside == 0
            }
            if isEmpty { continuation.resume() }
        }
    }
}
