import PosedSolvers

/// The form of a solve: along a plan, or choosing its steps.
struct SamplingRun {
    let solve: Solve
    /// All times of evaluations, where they are known beforehand.
    let times: [Double]
    /// Evaluations in all, or at most where steps are chosen.
    let evaluations: Int
    /// Where on the path it begins.
    let start: Double

    /// - Parameters:
    ///   - origin: The time of the model's noise.
    ///   - start: Where on the path the solve begins. A method that could choose its steps walks a fixed
    ///     grid from anywhere but noise.
    /// - Throws: `SolverError` for settings that cannot be.
    init(
        _ tableau: ButcherTableau, _ settings: SamplingSettings, rows: Int, origin: Double,
        from start: Double = 0
    ) throws {
        if tableau.bError != nil, rows == 1, start <= origin, settings.timeGrid == nil,
            case .evaluations(let most) = settings.budget
        {
            let tolerance = try AdaptiveTolerance(
                relative: AdaptiveTolerance.standard.relative,
                absolute: AdaptiveTolerance.standard.absolute, maxEvaluations: most)
            solve = try Solve(adaptive: tableau, tolerance: tolerance, from: origin)
            times = []
            evaluations = most
            self.start = origin
        } else {
            let grid = try settings.grid(tableau, origin: origin, from: start)
            let plan = SolverPlan(
                tableau, on: grid, lastStepFirstOrder: settings.lastStepFirstOrder)
            solve = Solve(plan)
            times = plan.times
            evaluations = plan.evaluations
            self.start = grid.points[0]
        }
    }
}
