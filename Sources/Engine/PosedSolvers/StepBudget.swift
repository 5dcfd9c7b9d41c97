/// What steps on a fixed grid cost, in velocity evaluations.
package struct GridCost: Hashable, Sendable {
    /// Evaluations of a step that is not the last.
    package let perStep: Int
    /// Evaluations of the last step.
    package let lastStep: Int

    /// As given.
    package init(perStep: Int, lastStep: Int) {
        self.perStep = perStep
        self.lastStep = lastStep
    }

    /// Evaluations of so many steps, at least one.
    package func evaluations(steps: Int) -> Int { (steps - 1) * perStep + lastStep }

    /// The most steps that make no more than so many evaluations; 0 where there is no room for one.
    package func steps(evaluations: Int) -> Int {
        evaluations < lastStep ? 0 : 1 + (evaluations - lastStep) / perStep
    }
}

/// How much work a request allows: a number of steps, or of velocity evaluations in all (NFE).
package enum StepBudget: Hashable, Sendable {
    case steps(Int)
    case evaluations(Int)

    /// The most velocity evaluations that a solve may make.
    package static let maxEvaluations = 1000

    /// The steps that this budget buys with a method: those asked for, or as many as make no more
    /// evaluations than it allows.
    ///
    /// Throws `invalidRequest` below 1, where the solve would exceed `maxEvaluations`, and where the
    /// evaluations have no room for one step.
    package func steps(
        with tableau: ButcherTableau, lastStepFirstOrder: Bool = true
    ) throws(SolverError) -> Int {
        let cost = tableau.cost(lastStepFirstOrder: lastStepFirstOrder)
        switch self {
        case .steps(let steps):
            let most = cost.steps(evaluations: Self.maxEvaluations)
            guard steps >= 1, steps <= most else {
                throw SolverError(
                    .invalidRequest,
                    "1 to \(most) steps expected with solver "
                        + "\(tableau.name) (\(cost.perStep) evaluations a step, "
                        + "\(Self.maxEvaluations) in all), but \(steps) asked for")
            }
            return steps
        case .evaluations(let evaluations):
            guard (1...Self.maxEvaluations).contains(evaluations) else {
                throw SolverError(
                    .invalidRequest,
                    "1 to \(Self.maxEvaluations) velocity evaluations (NFE) "
                        + "expected, but \(evaluations) asked for")
            }
            let steps = cost.steps(evaluations: evaluations)
            guard steps >= 1 else {
                throw SolverError(
                    .invalidRequest,
                    "a step of solver \(tableau.name) makes \(cost.lastStep) velocity evaluations "
                        + "(NFE), so at least as many are expected, but \(evaluations) asked for")
            }
            return steps
        }
    }
}
