/// A solve on a fixed grid, compiled ahead: every action of every step, the slots they need, and
/// all times at which the velocity will be evaluated.
///
/// Slot 0 holds the initial state at first and the result at last. A plan is a value that many
/// solves share; following it allocates nothing.
package struct SolverPlan: Hashable, Sendable {
    /// The method's name.
    package let solver: String
    /// The number of steps.
    package let steps: Int
    /// How many buffers the caller provides.
    package let slotCount: Int
    /// The times of all evaluations, increasing, each once. What depends on time alone can be
    /// computed for all of them beforehand.
    package let times: [Double]
    /// The number of velocity evaluations (NFE).
    package let evaluations: Int
    /// Evaluations and combinations, in order.
    package let actions: [SolverAction]

    /// Compiles a method on a grid.
    package init(_ tableau: ButcherTableau, on grid: TimeGrid) {
        let step = StepLayout(tableau)
        let times = Self.times(of: tableau, on: grid)
        var indices: [Double: Int] = [:]
        for (index, time) in times.enumerated() { indices[time] = index }

        var actions: [SolverAction] = []
        for (begin, end) in zip(grid.points, grid.points.dropFirst()) {
            for part in step.parts {
                switch part {
                case .evaluate(let stage, let input, let output):
                    let time = Self.time(of: tableau.c[stage], from: begin, to: end)
                    actions.append(
                        .evaluate(
                            .init(
                                input: input, output: output, time: time,
                                timeIndex: indices[time])))
                case .combine(let output, let terms):
                    actions.append(
                        .combine(
                            .init(
                                output: output,
                                terms: [.init(slot: 0, coefficient: 1)]
                                    + terms.map {
                                        .init(
                                            slot: $0.slot,
                                            coefficient: $0.coefficient * (end - begin))
                                    })))
                }
            }
        }
        solver = tableau.name
        steps = grid.steps
        slotCount = step.slotCount
        self.times = times
        evaluations = grid.steps * tableau.evaluationsPerStep
        self.actions = actions
    }

    /// Compiles what a request asks for: a method, a budget and a time shift.
    package init(
        _ tableau: ButcherTableau, budget: StepBudget, timeShift: Double = 1
    ) throws(SolverError) {
        let steps = try budget.steps(with: tableau)
        self.init(tableau, on: try TimeGrid(steps: steps, timeShift: timeShift))
    }

    private static func times(of tableau: ButcherTableau, on grid: TimeGrid) -> [Double] {
        var times: Set<Double> = []
        for (begin, end) in zip(grid.points, grid.points.dropFirst()) {
            for stage in tableau.contributingStages {
                times.insert(time(of: tableau.c[stage], from: begin, to: end))
            }
        }
        return times.sorted()
    }

    /// A stage's time; the ends of a step are met exactly, so that neighbours share them.
    private static func time(of c: Double, from begin: Double, to end: Double) -> Double {
        if c == 0 { return begin }
        return c == 1 ? end : begin + c * (end - begin)
    }
}
