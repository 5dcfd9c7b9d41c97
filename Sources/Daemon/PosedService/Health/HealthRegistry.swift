import PosedGuarded

/// How the services are, and who wants to hear of changes.
package final class HealthRegistry: Sendable {
    private typealias Watcher = AsyncStream<HealthStatus?>.Continuation

    private struct State {
        var statuses: [String: HealthStatus]
        var watchers: [UInt64: (service: String, watcher: Watcher)] = [:]
        var last: UInt64 = 0
        var isOver = false
    }

    private let state: Guarded<State>

    /// Services by their full names, none of which serve yet; the daemon as a whole, "", is one more.
    package init(services: [String]) {
        let names = services + [""]
        state = Guarded(
            State(statuses: Dictionary(names.map { ($0, .notServing) }) { first, _ in first }))
    }

    /// How a service is; nil for one that there is not.
    package func status(of service: String) -> HealthStatus? {
        state.withLock { $0.statuses[service] }
    }

    /// Sets how all services are.
    package func set(_ status: HealthStatus) {
        state.withLock { state in
            for service in state.statuses.keys { Self.set(status, of: service, &state) }
        }
    }

    /// Sets how one service is; services that there are not stay so.
    package func set(_ status: HealthStatus, of service: String) {
        state.withLock { Self.set(status, of: service, &$0) }
    }

    /// No service serves any more, and whoever watches hears so and then nothing.
    package func finish() {
        set(.notServing)
        let watchers = state.withLock { state in
            state.isOver = true
            defer { state.watchers = [:] }
            return state.watchers.values.map(\.watcher)
        }
        for watcher in watchers { watcher.finish() }
    }

    /// How a service is now and after each change; nil for one that there is not. Changes that come
    /// faster than they are read leave only the last.
    package func watch(_ service: String) -> AsyncStream<HealthStatus?> {
        let (stream, watcher) = AsyncStream<HealthStatus?>.makeStream(
            bufferingPolicy: .bufferingNewest(1))
        let number: UInt64? = state.withLock { state in
            watcher.yield(state.statuses[service])
            guard !state.isOver else { return nil }
            state.last += 1
            state.watchers[state.last] = (service, watcher)
            return state.last
        }
        guard let number else {
            watcher.finish()
            return stream
        }
        watcher.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.watchers.removeValue(forKey: number) }
        }
        return stream
    }

    /// How many watch.
    package var watcherCount: Int { state.withLock { $0.watchers.count } }

    private static func set(_ status: HealthStatus, of service: String, _ state: inout State) {
        guard let before = state.statuses[service], before != status, !state.isOver else { return }
        state.statuses[service] = status
        for entry in state.watchers.values where entry.service == service {
            entry.watcher.yield(status)
        }
    }
}
