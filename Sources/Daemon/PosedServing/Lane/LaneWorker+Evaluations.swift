import PosedErrors
import PosedGuarded
import PosedScheduling

extension LaneWorker {
    /// Makes one evaluation of each of these jobs, together.
    func evaluate(_ ids: [JobID]) {
        var members: [(id: JobID, holding: Holding, solve: any LaneSolve)] = []
        for id in ids {
            if let holding = holdings[id], let solve = holding.solve {
                members.append((id, holding, solve))
            } else {
                finish(
                    id, .failed(RequestError(.internal, "a frame without a solve was scheduled")))
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
            member.holding.solveSpan?.end = start.advanced(by: cost)
            if let problem { finish(member.id, .failed(RequestError(problem))) }
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
