import PosedErrors
import PosedGuarded

/// Tells calls without an end of their own that the daemon takes no more work.
package final class Drain: Sendable {
    /// What a call wants done when that happens.
    package typealias Action = @Sendable () -> Void

    private struct State {
        var hasBegun = false
        var last: UInt64 = 0
        var actions: [UInt64: Action] = [:]
    }

    private let state = Guarded(State())

    /// Nothing has happened yet.
    package init() {}

    /// Whether it has begun.
    package var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Begins: every action is run, once.
    package func begin() {
        let actions = state.withLock { state in
            state.hasBegun = true
            defer { state.actions = [:] }
            return state.actions.values
        }
        for action in actions { action() }
    }

    /// Runs `body`; `action` is run when draining begins meanwhile, or at once if it has begun.
    package func during<Value>(_ action: @escaping Action, _ body: () async throws -> Value)
        async rethrows
        -> Value
    {
        let number: UInt64? = state.withLock { state in
            guard !state.hasBegun else { return nil }
            state.last += 1
            state.actions[state.last] = action
            return state.last
        }
        if number == nil { action() }
        defer {
            if let number {
                let action = state.withLock { $0.actions.removeValue(forKey: number) }
                _ = action  // released outside of the lock
            }
        }
        return try await body()
    }

    /// Runs `body`, which is cancelled when draining begins. Throws what `body` throws, and `error` then.
    package func interrupting(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let isDone = try await unlessBegun {
            try await body()
            return true
        }
        if isDone == nil { throw Self.error }
    }

    /// Runs `body`, which is cancelled when draining begins.
    ///
    /// - Returns: What `body` returns; nil when draining has begun.
    package func unlessBegun<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value?
    ) async throws -> Value? {
        let (begun, signal) = AsyncStream<Void>.makeStream()
        return try await during {
            signal.finish()
        } _: {
            try await withThrowingTaskGroup(of: Value?.self) { group in
                group.addTask { try await body() }
                group.addTask {
                    for await _ in begun {}
                    try Task.checkCancellation()
                    return nil
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
        }
    }

    /// What calls that were ended by it are told.
    static let error = RequestError(.unavailable, "the daemon is shutting down")
}
