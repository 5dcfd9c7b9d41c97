/// What became of one request of a bench.
package struct BenchRecord: Sendable {
    /// What became of it.
    package enum Outcome: Sendable, Equatable {
        case frame
        case superseded
        /// The name of a status.
        case failed(String)
    }

    /// Which caller or stream it was of.
    package var worker: Int
    /// When it was due, in seconds from the beginning.
    package var due: Double
    /// When it was answered.
    package var end: Double
    package var outcome: Outcome
    /// Milliseconds of the daemon's own, by stage.
    package var stages: [String: Double] = [:]
    package var hitSource = false
    package var hitPose = false
    package var isReduced = false

    /// Whether there was neither a frame nor a later pose instead.
    package var hasFailed: Bool {
        if case .failed = outcome { return true }
        return false
    }

    /// A request that came to this, as far as nothing else is known of it.
    package init(worker: Int, due: Double, end: Double, outcome: Outcome) {
        self.worker = worker
        self.due = due
        self.end = end
        self.outcome = outcome
    }
}
