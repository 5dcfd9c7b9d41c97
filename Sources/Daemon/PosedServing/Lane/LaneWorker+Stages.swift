import PosedErrors
import PosedGuarded
import PosedPipeline
import PosedScheduling
import PosedSolvers
import PosedVision

extension LaneWorker {
    /// Carries out a stage of a job, if the job is still there.
    func perform(_ stage: Stage, _ id: JobID) {
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
            case (.source, .restore(let saved)):
                let made = try executor.restore(saved, job.job.form)
                // What it took is no measure of encoding.
                finish(id, .conditioning(made, start.duration(to: lane.clock())))
                return
            case (.pose, .frame(let work)): next = try encodePose(id, job, work, from: start)
            case (.begin, .frame(let work)): next = try begin(id, job, work, from: start)
            case (.decode, .frame(let work)):
                try decode(id, job, work, from: start)
                return
            case (_, .source), (_, .restore), (.source, _):
                throw RequestError(.internal, "a \(stage) was scheduled for a job without one")
            }
            note(stage, id, job, start.duration(to: lane.clock()), next: next)
        } catch {
            finish(id, .failed(RequestError(error)))
        }
    }

    private func encodePose(
        _ id: JobID, _ job: LaneJob, _ work: FrameWork, from start: ContinuousClock.Instant
    ) throws -> Demand {
        let made = try executor.pose(work.pose, job.job.form)
        let holding = holding(id, job)
        holding.pose = made
        let end = lane.clock()
        holding.timings.pose = start.duration(to: end)
        holding.poseSpan = StageSpan("pose", start, end)
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
        let end = lane.clock()
        holding.timings.solve = start.duration(to: end)
        holding.solveSpan = StageSpan("solve", start, end)
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
            throw RequestError(.internal, "a frame without a solve was to be decoded")
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
        var frame = Frame(image: image, used: used, cache: work.cache, timings: timings)
        frame.stages = stages(of: holding, job, work, decode: StageSpan("decode", start, end))
        finish(id, .frame(frame))
    }

    /// When the stages of a frame were worked on, and before that waited for.
    private func stages(
        of holding: Holding, _ job: LaneJob, _ work: FrameWork, decode: StageSpan
    ) -> [StageSpan] {
        let worked = [holding.poseSpan, holding.solveSpan, decode].compactMap { $0 }
        let received = job.job.received
        let waitsFrom = received.advanced(by: work.sourceTime)
        let first = worked.first?.start ?? waitsFrom
        let source = StageSpan("source", received, waitsFrom)
        return (work.sourceTime > .zero ? [source] : [])
            + [StageSpan("queue", min(waitsFrom, first), first)] + worked
    }

    private func note(_ stage: Stage, _ id: JobID, _ job: LaneJob, _ cost: Duration, next: Demand?)
    {
        if stage != .begin { lane.metrics.stage(stage.rawValue, cost) }
        lane.state.withLock {
            $0.scheduler.finished(stage, of: id, form: job.job.form, cost: cost, next: next)
        }
    }
}
