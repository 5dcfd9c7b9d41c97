import PosedGuarded

/// Hands out the requests of a bench: when each is due, until there are no more.
package final class BenchSchedule: Sendable {
    /// One request.
    package struct Turn: Equatable, Sendable {
        package let index: Int
        /// When it is due, in seconds from the beginning; nil for now.
        package let due: Double?

        /// As given.
        package init(index: Int, due: Double?) {
            self.index = index
            self.due = due
        }
    }

    private struct State {
        var process: ArrivalProcess?
        var next = 0
        var isOver = false
    }

    private let seconds: Double
    private let frames: Int?
    private let state: Guarded<State>

    /// Requests of `process`, or whenever somebody asks, for so many seconds and at most so many.
    package init(process: ArrivalProcess?, seconds: Double, frames: Int?) {
        self.seconds = seconds
        self.frames = frames
        state = Guarded(State(process: process))
    }

    /// The next request at a time of the bench; nil when there are no more.
    package func next(at now: Double) -> Turn? {
        state.withLock { state in
            let isLast = frames.map { state.next >= $0 } ?? false
            guard !state.isOver, !isLast, now < seconds else { return nil }
            let due = state.process?.next()
            if let due, due >= seconds {
                state.isOver = true
                return nil
            }
            defer { state.next += 1 }
            return Turn(index: state.next, due: due)
        }
    }
}
