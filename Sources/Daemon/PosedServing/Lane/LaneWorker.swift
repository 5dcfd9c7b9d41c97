import PosedGuarded
import PosedPipeline
import PosedScheduling
import PosedSolvers
import PosedVision

/// Takes the lane's steps, and holds what jobs hold on the device. Used by one thread.
package final class LaneWorker {
    /// What a job that was begun holds.
    final class Holding {
        let form: LaneForm
        let rows: Int
        let stream: UInt64?
        var pose: (any Conditioning)?
        var solve: (any LaneSolve)?
        var isReduced = false
        var timings = StageTimings()
        /// When the pose was encoded.
        var poseSpan: StageSpan?
        /// When the solve began, and when its last evaluation ended.
        var solveSpan: StageSpan?

        init(_ job: LaneScheduler.Job) {
            form = job.form
            rows = job.rows
            stream = job.link?.stream
        }
    }

    let lane: Lane
    let executor: any LaneExecutor
    var holdings: [JobID: Holding] = [:]
    /// What the last frame of each stream with warm starts ended at.
    var results: [UInt64: any Conditioning] = [:]

    /// A worker for a lane, with its own executor.
    package init(_ lane: Lane, _ executor: any LaneExecutor) {
        self.lane = lane
        self.executor = executor
    }

    /// Jobs that hold anything.
    package var holdingCount: Int { holdings.count }

    /// Streams whose last result is kept.
    package var resultCount: Int { results.count }

    /// Does what is next.
    ///
    /// - Returns: nil after work; where there was none, how long there will be none unless somebody rings.
    @discardableResult
    package func step() -> Duration? {
        lane.noteBeat()
        let now = lane.clock()
        let (decision, ended, gone, forgotten, errand) = lane.state.withLock { state in
            let (decision, dropped) = state.scheduler.next(now: now)
            let ended = dropped.compactMap { Lane.outcome(of: $0, &state, now) }
            var isIdle = false
            if case .idle = decision { isIdle = true }
            let errand = state.takeErrand(isIdle: isIdle, now)
            defer {
                state.gone = []
                state.closedStreams = []
            }
            return (decision, ended, state.gone, state.closedStreams, errand)
        }
        for id in gone { release(id) }
        for stream in forgotten { results[stream] = nil }
        for (job, outcome) in ended { lane.report(job, outcome) }
        errand?(executor)
        let tidied = executor.tidy(now: now)
        switch decision {
        case .stage(let stage, let id): perform(stage, id)
        case .evaluate(let ids): evaluate(ids)
        case .idle(let until):
            if errand != nil { return nil }
            let due = until.map { max(.zero, now.duration(to: $0)) } ?? .seconds(3600)
            return min(due, tidied ?? due)
        }
        return nil
    }

    /// Gives back everything.
    package func releaseAll() {
        for id in holdings.keys { release(id) }
        results = [:]
    }

    private func release(_ id: JobID) {
        guard let holding = holdings.removeValue(forKey: id) else { return }
        if let solve = holding.solve { executor.end(solve, holding.form) }
    }

    func holding(_ id: JobID, _ job: LaneJob) -> Holding {
        if let known = holdings[id] { return known }
        let made = Holding(job.job)
        holdings[id] = made
        return made
    }

    /// Ends a job, unless somebody has ended it meanwhile.
    func finish(_ id: JobID, _ outcome: LaneOutcome) {
        if case .failed(let error) = outcome { lane.deviceLoss.note(error) }
        release(id)
        guard let job = lane.state.withLock({ $0.take(id) }) else { return }
        lane.report(job, outcome)
    }
}
