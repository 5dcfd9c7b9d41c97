internal import PosedGuarded

/// What the daemon is at, for whoever asks: read by the pages, written by the daemon.
package final class DaemonStatus: Sendable {
    private struct State {
        var phase = Lifecycle.Phase.starting
        var detail = ""
        var lastProgress: ContinuousClock.Instant?
        var stallTimeout = Duration.seconds(30)
    }

    private let state = Guarded(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    /// The status of a daemon that starts.
    package init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
    }

    /// Where in its life the daemon is.
    package var phase: Lifecycle.Phase {
        get { state.withLock { $0.phase } }
        set { state.withLock { $0.phase = newValue } }
    }

    /// What it is at, in words.
    package var detail: String {
        get { state.withLock { $0.detail } }
        set { state.withLock { $0.detail = newValue } }
    }

    /// How long the compute loop may stand still.
    package var stallTimeout: Duration {
        get { state.withLock { $0.stallTimeout } }
        set { state.withLock { $0.stallTimeout = newValue } }
    }

    /// Notes that the compute loop has moved.
    package func progressed() {
        let now = now()
        state.withLock { $0.lastProgress = now }
    }

    /// For how long the compute loop has stood still, where that is longer than it may.
    package var stalled: Duration? {
        let now = now()
        return state.withLock { state in
            guard let last = state.lastProgress else { return nil }
            let still = last.duration(to: now)
            return still > state.stallTimeout ? still : nil
        }
    }

    /// Whether requests are served.
    package var isReady: Bool {
        switch phase {
        case .serving, .reloading: stalled == nil
        case .starting, .draining, .stopped: false
        }
    }
}
