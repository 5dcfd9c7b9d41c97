import PosedPipeline
import PosedScheduling
import PosedSolvers
import PosedVision

extension PipelineExecutor {
    /// An evaluation that takes longer than this is not tried with more rows.
    private static let patience = Duration.seconds(1)
    /// Evaluations timed of each number of rows, after one that captures; the quickest counts.
    private static let rounds = 3

    /// Captures what a model's frames will need at its own size, makes one, and tells what it cost.
    ///
    /// - Throws: when the model cannot make a picture here.
    func warmUp(_ form: LaneForm, clock: () -> ContinuousClock.Instant) throws -> [Cost] {
        var costs: [Cost] = []
        func timed<Result>(_ stage: Stage, _ body: () throws -> Result) throws -> Result {
            _ = try body()
            let start = clock()
            let result = try body()
            costs.append(.stage(stage, start.duration(to: clock())))
            return result
        }
        let picture = try Image(
            width: form.width, height: form.height, filledWith: RGB(128, 128, 128))
        let source = try timed(.source) { try self.source([picture], form) }
        let pose = try timed(.pose) { try self.pose(.picture(picture), form) }
        let settings = SamplingSettings(
            solver: "euler", budget: .steps(64), guidance: 1, timeShift: 1, seed: 0)
        let plan = SolvePlan(settings: settings, tableau: .euler)
        try bench(form).solver.reserve()
        var solves: [any LaneSolve] = []
        defer { for solve in solves { end(solve, form) } }
        for rows in [1, 2, 4, 8, 16, 32, 64] where rows <= (try bench(form)).solver.batchRows {
            while solves.count < rows {
                let start = clock()
                solves.append(try begin(plan, source: source, pose: pose, form))
                if solves.count == 2 { costs.append(.stage(.begin, start.duration(to: clock()))) }
            }
            let cost = try time(solves, form, clock)
            costs.append(.evaluation(rows: rows, cost))
            if cost > Self.patience { break }
        }
        try warmUpDecoding(source, pose, form, clock: clock, &costs)
        return costs
    }

    /// What something cost.
    enum Cost {
        case stage(Stage, Duration)
        case evaluation(rows: Int, Duration)
    }

    private func time(
        _ solves: [any LaneSolve], _ form: LaneForm, _ clock: () -> ContinuousClock.Instant
    ) throws -> Duration {
        var best = Duration.seconds(3600)
        for round in 0...Self.rounds {
            let start = clock()
            if let problem = try evaluate(solves, form).compactMap(\.self).first { throw problem }
            let cost = start.duration(to: clock())
            if round > 0 { best = min(best, cost) }
            if cost > Self.patience { return min(best, cost) }
        }
        return best
    }

    /// One guided step, and its picture.
    private func warmUpDecoding(
        _ source: any Conditioning, _ pose: any Conditioning, _ form: LaneForm,
        clock: () -> ContinuousClock.Instant, _ costs: inout [Cost]
    ) throws {
        let settings = SamplingSettings(
            solver: "euler", budget: .steps(1), guidance: 1.1, timeShift: 1, seed: 0)
        let solve = try begin(
            SolvePlan(settings: settings, tableau: .euler), source: source, pose: pose, form)
        defer { end(solve, form) }
        if let problem = try evaluate([solve], form).compactMap(\.self).first { throw problem }
        _ = try decode(solve, form)
        let start = clock()
        _ = try decode(solve, form)
        costs.append(.stage(.decode, start.duration(to: clock())))
    }
}
