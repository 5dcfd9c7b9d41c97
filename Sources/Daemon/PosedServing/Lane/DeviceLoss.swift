import PosedBackend
import PosedErrors
import PosedGuarded

/// The news that a device is lost: kept, and told to all who wait for it.
final class DeviceLoss: Sendable {
    private struct State {
        var error: BackendError?
        var waiting: [UInt64: CheckedContinuation<BackendError?, Never>] = [:]
        var number: UInt64 = 0
    }

    private let state = Guarded(State())

    /// Whether it has happened.
    var isKnown: Bool { state.withLock { $0.error != nil } }

    /// Takes note of what a job ended with; only the loss of a device is news, and only the first time.
    func note(_ error: RequestError) {
        guard let error = error.cause as? BackendError, error.code == .deviceLost else { return }
        let waiting = state.withLock { state -> [CheckedContinuation<BackendError?, Never>] in
            guard state.error == nil else { return [] }
            state.error = error
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume(returning: error) }
    }

    /// Waits for the loss.
    ///
    /// - Returns: What the device said, for the operator; nil where the task was cancelled before.
    func news() async -> BackendError? {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.error != nil || Task.isCancelled { return true }
                    state.waiting[number] = continuation
                    return false
                }
                if isOver { continuation.resume(returning: state.withLock { $0.error }) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: nil)
        }
    }
}
