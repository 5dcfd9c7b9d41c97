import PosedErrors
import PosedGuarded
import PosedScheduling

/// Stops a job of a lane, whether that is asked for before, while or after it is submitted.
final class LaneSubmission: Sendable {
    private enum State {
        case waiting, cancelled
        case submitted(JobID)
    }

    private let lane: Lane
    private let state = Guarded(State.waiting)

    init(_ lane: Lane) { self.lane = lane }

    /// Submits the job.
    ///
    /// - Throws: `cancelled` if that was asked for before, and what the lane throws; then the job's
    ///   completion is not called.
    func submit(_ job: LaneJob) throws(RequestError) {
        if case .cancelled = state.withLock({ $0 }) { throw .cancelled }
        let id = try lane.submit(job)
        let isCancelled = state.withLock { state in
            if case .cancelled = state { return true }
            state = .submitted(id)
            return false
        }
        if isCancelled { lane.cancel(id, with: .cancelled) }
    }

    /// Stops the job.
    func cancel() {
        let id = state.withLock { state -> JobID? in
            defer { state = .cancelled }
            guard case .submitted(let id) = state else { return nil }
            return id
        }
        if let id { lane.cancel(id, with: .cancelled) }
    }
}
