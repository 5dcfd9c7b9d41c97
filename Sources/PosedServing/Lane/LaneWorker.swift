import PosedPipeline
import PosedScheduling
import PosedSolvers
import PosedVision
import Synchronization

/// Takes the lane's steps, and holds what jobs hold on the device. Used by one thread.
package final class LaneWorker {
    /// What a job that was begun holds.
    private final class Holding {
        let form: LaneForm
        let rows: Int
        let stream: UInt64?
        var pose: (any Conditioning)?
        var solve: (any LaneSolve)?
        var isReduced = false
        var timings = StageTimings()

        init(_ job: LaneScheduler.Job) {
            form = job.form
            rows = job.rows
            stream = job.link?.stream
        }
    }

    private let lane: Lane
    private let executor: any LaneExecutor
    private var holdings: [JobID: Holding] = [:]
    /// What the last frame of each stream with warm starts ended at.
    private var results: [UInt64: any Conditioning] = [:]

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
        let (decision, ended, gone, forgotten) = lane.state.withLock { state in
            let (decision, dropped) = state.scheduler.next(now: now)
            let ended = dropped.compactMap { Lane.outcome(of: $0, &state, now) }
            defer {
                state.gone = []
                state.closedStreams = []
            }
            return (decision, ended, state.gone, state.closedStreams)
        }
        for id in gone { release(id) }
        for stream in forgotten { results[stream] = nil }
        for (job, outcome) in ended { lane.report(job, outcome) }
        switch decision {
        case .stage(let stage, let id): perform(stage, id)
        case .evaluate(let ids): evaluate(ids)
        case .idle(let until):
            return until.map { max(.zero, now.duration(to: $0)) } ?? .seconds(3600)
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

    private func holding(_ id: JobID, _ job: LaneJob) -> Holding {
        if let known = holdings[id] { return known }
        let made = Holding(job.job)
        holdings[id] = made
        return made
    }

    // MARK: Stages

    private func perform(_ stage: Stage, _ id: JobID) {
        guard let job = lane.state.withLock({ $0.jobs[id] }) else { return }
        let start = lane.clock()
        do {
            let next: Demand?
            switch (stage, job.work) {
            case (.source, .source(let pictures)):
                let made = try executor.source(pictures, job.job.form)
                let cost = start.duration(to: lane.clock())
                note(stage, id, job, cost, next: nil)
                finish(id, .conditioning(made, cost))
                return
            case (.pose, .frame(let work)): next = try encodePose(id, job, work, from: start)
            case (.begin, .frame(let work)): next = try begin(id, job, work, from: start)
            case (.decode, .frame(let work)):
                try decode(id, job, work, from: start)
                return
            case (_, .source), (.source, _):
                throw ServingError(.failed, "a \(stage) was scheduled for a job without one")
            }
            note(stage, id, job, start.duration(to: lane.clock()), next: next)
        } catch {
            finish(id, .failed(ServingError(wrapping: error)))
        }
    }

    private func encodePose(
        _ id: JobID, _ job: LaneJob, _ work: FrameWork, from start: ContinuousClock.Instant
    ) throws -> Demand {
        let made = try executor.pose(work.pose, job.job.form)
        let holding = holding(id, job)
        holding.pose = made
        holding.timings.pose = start.duration(to: lane.clock())
        work.onPose(made)
        return .stage(.begin)
    }

    private func begin(
        _ id: JobID, _ job: LaneJob, _ work: FrameWork, from start: ContinuousClock.Instant
    ) throws -> Demand {
        let holding = holding(id, job)
        guard let pose = holding.pose ?? work.encodedPose else { return .stage(.pose) }
        let affordable = lane.state.withLock {
            $0.scheduler.affordableEvaluations(id, now: start)
        }
        var plan = SolvePlan(settings: work.settings, tableau: work.tableau)
        if affordable < job.job.evaluations {
            plan.reduce(to: affordable, least: job.job.leastEvaluations ?? 1)
            holding.isReduced = true
        }
        if work.warmStart > 0, let stream = holding.stream {
            plan.warmStart = work.warmStart
            plan.previous = results[stream]
        }
        let solve = try executor.begin(plan, source: work.source, pose: pose, job.job.form)
        holding.solve = solve
        holding.timings.solve = start.duration(to: lane.clock())
        lane.state.withLock {
            $0.scheduler.begins(id, evaluations: solve.plannedEvaluations)
        }
        return solve.isFinished ? .stage(.decode) : .evaluation
    }

    private func decode(
        _ id: JobID, _ job: LaneJob, _ work: FrameWork, from start: ContinuousClock.Instant
    ) throws {
        let holding = holding(id, job)
        guard let solve = holding.solve else {
            throw ServingError(.failed, "a frame without a solve was to be decoded")
        }
        let image = try executor.decode(solve, job.job.form)
        if work.warmStart > 0, let stream = holding.stream {
            results[stream] = executor.result(of: solve, job.job.form)
        }
        let end = lane.clock()
        holding.timings.decode = start.duration(to: end)
        note(.decode, id, job, holding.timings.decode, next: nil)
        var timings = holding.timings
        timings.source = work.sourceTime
        timings.total = job.job.received.duration(to: end)
        timings.queue = max(
            .zero,
            timings.total - timings.source - timings.pose - timings.solve - timings.decode)
        lane.metrics.stage("solve", timings.solve)
        var used = work.used
        used.evaluations = solve.evaluations
        used.isReduced = holding.isReduced
        used.warmStart = solve.start
        finish(
            id, .frame(Frame(image: image, used: used, cache: work.cache, timings: timings)))
    }

    private func note(_ stage: Stage, _ id: JobID, _ job: LaneJob, _ cost: Duration, next: Demand?)
    {
        if stage != .begin { lane.metrics.stage(stage.rawValue, cost) }
        lane.state.withLock {
            $0.scheduler.finished(stage, of: id, form: job.job.form, cost: cost, next: next)
        }
    }

    /// Ends a job, unless somebody has ended it meanwhile.
    private func finish(_ id: JobID, _ outcome: LaneOutcome) {
        release(id)
        guard let job = lane.state.withLock({ $0.take(id) }) else { return }
        lane.report(job, outcome)
    }

    // MARK: Evaluations

    private func evaluate(_ ids: [JobID]) {
        var members: [(id: JobID, holding: Holding, solve: any LaneSolve)] = []
        for id in ids {
            if let holding = holdings[id], let solve = holding.solve {
                members.append((id, holding, solve))
            } else {
                finish(id, .failed(ServingError(.failed, "a frame without a solve was scheduled")))
            }
        }
        guard let form = members.first?.holding.form else { return }
        let rows = members.reduce(0) { $0 + $1.holding.rows }
        let start = lane.clock()
        let problems: [(any Error)?]
        let cost: Duration
        do {
            problems = try executor.evaluate(members.map(\.solve), form)
            cost = start.duration(to: lane.clock())
            lane.metrics.batch(rows: rows, cost)
        } catch {
            // Whose fault it was shows when each is evaluated by itself.
            problems = members.map { members.count == 1 ? error : alone($0.solve, form) }
            cost = start.duration(to: lane.clock())
        }
        lane.state.withLock { state in
            state.scheduler.evaluated(members.map(\.id), rows: rows, form: form, cost: cost)
            for member in members where member.solve.isFinished {
                state.scheduler.solved(member.id)
            }
        }
        for (member, problem) in zip(members, problems) {
            member.holding.timings.solve += cost
            if let problem { finish(member.id, .failed(ServingError(wrapping: problem))) }
        }
    }

    private func alone(_ solve: any LaneSolve, _ form: LaneForm) -> (any Error)? {
        do {
            return try executor.evaluate([solve], form)[0]
        } catch {
            return error
        }
    }
}
