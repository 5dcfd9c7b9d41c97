internal import PosedGuarded

/// Keeps callers from filling the log: lets so many lines through in a period, and counts the others.
package final class LogQuota: Sendable {
    private struct State {
        var end: ContinuousClock.Instant?
        var written = 0
        var withheld = 0
    }

    private let lines: Int
    private let period: Duration
    private let state = Guarded(State())

    /// At most `lines` in each `period`, which begins with its first line.
    package init(lines: Int = 30, period: Duration = .seconds(60)) {
        self.lines = lines
        self.period = period
    }

    /// Asks for a line.
    ///
    /// - Returns: Nil where there is no room for it; else how many were withheld since the line before.
    package func take(at now: ContinuousClock.Instant = .now) -> Int? {
        state.withLock { state in
            if state.end.map({ $0 <= now }) ?? true {
                state.end = now.advanced(by: period)
                state.written = 0
            }
            guard state.written < lines else {
                state.withheld += 1
                return nil
            }
            state.written += 1
            defer { state.withheld = 0 }
            return state.withheld
        }
    }
}
