internal import PosedGuarded

/// Time that passes when a test says so.
final class ManualTime: Sendable {
    fileprivate struct Sleeper {
        var wakes: Duration
        var continuation: CheckedContinuation<Void, any Error>
    }

    fileprivate struct State {
        var now = Duration.zero
        var nextID = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        /// Tests that wait for a number of sleepers.
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Guarded(State())

    /// Waits until the time has passed, or the task is cancelled.
    func sleep(_ duration: Duration) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Void, any Error>) in
                let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                    if state.cancelled.remove(id) != nil {
                        continuation.resume(throwing: CancellationError())
                        return []
                    }
                    state.sleepers[id] = Sleeper(
                        wakes: state.now + duration, continuation: continuation)
                    return state.takeWatchers()
                }
                for watcher in woken { watcher.resume() }
            }
        } onCancel: {
            state.withLock { state in
                guard let sleeper = state.sleepers.removeValue(forKey: id) else {
                    state.cancelled.insert(id)
                    return
                }
                sleeper.continuation.resume(throwing: CancellationError())
            }
        }
    }

    /// Waits until that many tasks sleep.
    func sleepers(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let woken = state.withLock { state in
                state.watchers.append((count, continuation))
                return state.takeWatchers()
            }
            for watcher in woken { watcher.resume() }
        }
    }

    /// Lets time pass.
    func advance(by duration: Duration) {
        state.withLock { state in
            state.now += duration
            for (id, sleeper) in state.sleepers where sleeper.wakes <= state.now {
                state.sleepers[id] = nil
                sleeper.continuation.resume()
            }
        }
    }
}

extension ManualTime.State {
    /// The tests that have waited long enough.
    fileprivate mutating func takeWatchers() -> [CheckedContinuation<Void, Never>] {
        let enough = watchers.filter { $0.count <= sleepers.count }
        watchers.removeAll { $0.count <= sleepers.count }
        return enough.map(\.continuation)
    }
}
