import PosedGuarded

/// A value that comes once; any number of tasks may wait for it.
package final class OneShot<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Guarded(State())

    package init() {}

    /// The value if it has come.
    package var now: Value? { state.withLock { $0.value } }

    /// The value, as soon as it has come.
    package func value() async -> Value {
        while true {
            if let now { return now }
            await withCheckedContinuation { continuation in
                let here = state.withLock { state in
                    if state.value == nil { state.waiting.append(continuation) }
                    return state.value != nil
                }
                if here { continuation.resume() }
            }
        }
    }

    /// The value has come; later ones are ignored.
    package func fulfil(_ value: Value) {
        let waiting: [CheckedContinuation<Void, Never>] = state.withLock { state in
            guard state.value == nil else { return [] }
            state.value = value
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
