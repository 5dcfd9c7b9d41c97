package import PosedAccounts
package import PosedErrors
import PosedGuarded

/// Sources' conditioning by content, shared between sessions: ``ConditioningTable`` behind a lock,
/// and the tasks that compute what is missing.
///
/// Requests for one key that come at the same time share one computation. It goes on as long as
/// anybody waits for it: a request that is cancelled leaves the others alone, and only the last one
/// to leave stops it. A failure reaches all that wait, and the next request tries again.
package final class ConditioningCache<Payload: Sendable>: Sendable {
    /// What a request gets.
    package typealias Reference = ConditioningReference<Payload>
    private typealias Table = ConditioningTable<Payload>

    private struct State {
        var table: Table
        var continuations: [Table.Waiter: CheckedContinuation<Reference, any Error>] = [:]
        var keys: [Table.Waiter: ContentKey] = [:]
        var tasks: [Table.Flight: Task<Void, Never>] = [:]
        var lastWaiter: Table.Waiter = 0
    }

    private let state: Guarded<State>
    private let byteCount: @Sendable (Payload) -> Int

    /// An empty cache.
    ///
    /// - Parameters:
    ///   - byteLimit: the most bytes of all payloads together.
    ///   - byteCount: the bytes that a payload takes.
    package init(byteLimit: Int, byteCount: @escaping @Sendable (Payload) -> Int) {
        state = Guarded(State(table: Table(byteLimit: byteLimit)))
        self.byteCount = byteCount
    }

    /// The conditioning of a key, computed where it has to be.
    ///
    /// - Parameters:
    ///   - expectedBytes: what the payload will take; room for it is made before it is computed.
    ///   - account: whom the payload is charged to while it is in use.
    ///   - compute: computes it, in a task of its own that is cancelled when nobody waits any more.
    /// - Throws: `resourceExhausted` when there is no room to compute it; `CancellationError` when the
    ///   calling task is cancelled while it waits; what `compute` throws.
    package func reference(
        to key: ContentKey, expectedBytes: Int, account: Account? = nil,
        compute: @escaping @Sendable () async throws -> Payload
    ) async throws -> Reference {
        let waiter = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin(waiter, key, expectedBytes, account, continuation, compute)
            }
        } onCancel: {
            cancel(waiter)
        }
    }

    /// The conditioning of a key if it is there; nothing is computed, and nothing is waited for.
    ///
    /// - Throws: `resourceExhausted` when the account has no room for it.
    package func existingReference(
        to key: ContentKey, account: Account? = nil
    ) throws(RequestError) -> Reference? {
        let found = try state.withLock {
            state throws(RequestError) -> (Table.Waiter, Payload, Int)? in
            guard state.table.contains(key) else { return nil }
            state.lastWaiter += 1
            let waiter = state.lastWaiter
            guard
                case .ready(let payload, let bytes) =
                    try state.table.request(key, bytes: 0, waiter: waiter, account: account)
            else { return nil }
            return (waiter, payload, bytes)
        }
        return found.map { reference($0.0, key, $0.1, bytes: $0.2, .kept) }
    }

    /// Says that one more session will want this key again: its entry then outlives those that no
    /// session keeps.
    package func addKeeper(of key: ContentKey) { change { $0.addKeeper(of: key) } }

    /// Says that a session that wanted this key is no more.
    package func removeKeeper(of key: ContentKey) { change { $0.removeKeeper(of: key) } }

    /// Gives up payloads that are not in use until at most so many bytes are taken.
    package func trim(toBytes bytes: Int) { change { $0.shrink(to: bytes) } }

    /// The most bytes of all payloads together. A lower limit takes effect at once, as far as
    /// payloads are not in use.
    package var byteLimit: Int {
        get { state.withLock { $0.table.byteLimit } }
        set { change { $0.limit(toBytes: newValue) } }
    }

    /// What the cache holds, and how it served.
    package var statistics: CacheStatistics { state.withLock { $0.table.statistics } }

    private func change(_ body: (inout Table) -> Void) {
        // What is given up is destroyed here, behind the lock: freeing device memory may take time.
        _ = state.withLock { state in
            body(&state.table)
            return state.table.takeDropped()
        }
    }

    private func begin(
        _ waiter: Table.Waiter, _ key: ContentKey, _ expectedBytes: Int, _ account: Account?,
        _ continuation: CheckedContinuation<Reference, any Error>,
        _ compute: @escaping @Sendable () async throws -> Payload
    ) {
        let (answer, dropped) = state.withLock {
            state -> (Result<(Payload, Int), any Error>?, [Payload]) in
            // A cancellation that came before the continuation was in its place found nothing to
            // resume, but it has marked the task.
            guard !Task.isCancelled else { return (.failure(CancellationError()), []) }
            do throws(RequestError) {
                switch try state.table.request(
                    key, bytes: expectedBytes, waiter: waiter, account: account)
                {
                case .ready(let payload, let bytes):
                    return (.success((payload, bytes)), [])
                case .join:
                    break
                case .compute(let flight):
                    state.tasks[flight] = Task { await self.run(flight, compute) }
                }
            } catch {
                return (.failure(error), state.table.takeDropped())
            }
            state.continuations[waiter] = continuation
            state.keys[waiter] = key
            return (nil, state.table.takeDropped())
        }
        _ = dropped
        guard let answer else { return }
        continuation.resume(
            with: answer.map { reference(waiter, key, $0.0, bytes: $0.1, .kept) })
    }

    private func run(
        _ flight: Table.Flight, _ compute: @Sendable () async throws -> Payload
    ) async {
        let result: Result<(payload: Payload, bytes: Int), any Error>
        do {
            let payload = try await compute()
            result = .success((payload, byteCount(payload)))
        } catch {
            result = .failure(error)
        }
        let (answers, dropped) = state.withLock { state in
            let deliveries = state.table.finish(flight, with: result)
            state.tasks[flight] = nil
            let answers = deliveries.map { delivery in
                (
                    delivery, state.keys.removeValue(forKey: delivery.waiter),
                    state.continuations.removeValue(forKey: delivery.waiter)
                )
            }
            return (answers, state.table.takeDropped())
        }
        _ = dropped
        for (delivery, key, continuation) in answers {
            guard let key, let continuation else { continue }
            continuation.resume(
                with: delivery.result.map {
                    reference(
                        delivery.waiter, key, $0.payload, bytes: $0.bytes,
                        $0.isFirst ? .computed : .joined)
                })
        }
    }

    private func cancel(_ waiter: Table.Waiter) {
        let (task, continuation) = state.withLock { state in
            var task: Task<Void, Never>?
            if case .abandoned(let flight) = state.table.cancel(waiter) {
                task = state.tasks[flight]
            }
            state.keys[waiter] = nil
            return (task, state.continuations.removeValue(forKey: waiter))
        }
        task?.cancel()
        continuation?.resume(throwing: CancellationError())
    }

    private func reference(
        _ waiter: Table.Waiter, _ key: ContentKey, _ payload: Payload, bytes: Int,
        _ origin: Reference.Origin
    ) -> Reference {
        Reference(key: key, payload: payload, byteCount: bytes, origin: origin) { [self] in
            change { $0.release(waiter) }
        }
    }
}
