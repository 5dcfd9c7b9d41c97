import PosedSolvers

/// The form of a solve: along a plan, or choosing its steps.
struct SamplingRun {
    let solve: Solve
    /// All times of evaluations, where they are known beforehand.
    let times: [Double]
    /// Evaluations in all, or at most where steps are chosen.
    let evaluations: Int

    /// - Parameter start: Where on the path it begins. A method that could choose its steps walks a fixed
    ///   grid from anywhere but 0.
    /// - Throws: `SolverError` for settings that cannot be.
    init(
        _ tableau: ButcherTableau, _ settings: SamplingSettings, rows: Int, from start: Double = 0
    ) throws {
        if tableau.bError != nil, rows == 1, start == 0,
            case .evaluations(let most) = settings.budget
        {
            let tolerance = try AdaptiveTolerance(
                relative: AdaptiveTolerance.standard.relative,
                absolute: AdaptiveTolerance.standard.absolute, maxEvaluations: most)
            solve = try Solve(adaptive: tableau, tolerance: tolerance)
            times = []
            evaluations = most
        } else {
            let steps = try settings.budget.steps(with: tableau)
            let plan = SolverPlan(
                tableau,
                on: try TimeGrid(steps: steps, timeShift: settings.timeShift, from: start))
            solve = Solve(plan)
            times = plan.times
            evaluations = plan.evaluations
        }
    }
}
