internal import Synchronization

/// A value that comes once; any number of tasks may wait for it.
package final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Value, Never>])
        case here(Value)
    }

    private let state = Mutex(State.waiting([]))

    package init() {}

    /// The value if it has come.
    package var now: Value? {
        state.withLock { state in
            guard case .here(let value) = state else { return nil }
            return value
        }
    }

    /// The value, as soon as it has come.
    package func value() async -> Value {
        await withCheckedContinuation { continuation in
            let here: Value? = state.withLock { state in
                switch state {
                case .here(let value): return value
                case .waiting(let others):
                    state = .waiting(others + [continuation])
                    return nil
                }
            }
            if let here { continuation.resume(returning: here) }
        }
    }

    /// The value has come; later ones are ignored.
    package func fulfil(_ value: Value) {
        let waiting: [CheckedContinuation<Value, Never>] = state.withLock { state in
            guard case .waiting(let waiting) = state else { return [] }
            state = .here(value)
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: value) }
    }
}
