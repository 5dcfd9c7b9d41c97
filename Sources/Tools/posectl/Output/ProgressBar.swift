import PosedGuarded
import PosedOptions

/// A bar on the terminal, of work whose amount is known or not.
package final class ProgressBar: Sendable {
    private struct State {
        var done = 0
        var shown = ContinuousClock.now - .seconds(1)
    }

    private let label: String
    private let total: Int?
    private let start = ContinuousClock.now
    private let state = Guarded(State())

    /// A bar of so many steps; nil where nobody knows.
    init(_ label: String, total: Int?) {
        self.label = label
        self.total = total
    }

    /// One more step is done. The terminal hears of it ten times a second at most.
    func step() {
        guard Terminal.isPresent else { return }
        let now = ContinuousClock.now
        let line: String? = state.withLock { state in
            state.done += 1
            guard now - state.shown > .milliseconds(100) || state.done == total else { return nil }
            state.shown = now
            return Self.line(label, done: state.done, total: total, elapsed: now - start)
        }
        if let line { Terminal.progress(line) }
    }

    /// What the bar shows.
    package static func line(_ label: String, done: Int, total: Int?, elapsed: Duration) -> String {
        let rate = Text.number(Double(done) / max(elapsed.seconds, 1e-3))
        guard let total, total > 0 else { return "\(label): \(done), \(rate) a second" }
        let width = 24
        let filled = min(width, width * done / total)
        let bar =
            String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        let left = elapsed.seconds / Double(max(done, 1)) * Double(max(total - done, 0))
        return
            "\(label): [\(bar)] \(done)/\(total), \(rate) a second, \(Text.span(seconds: left)) left"
    }
}
