/// How much work a request allows: a number of steps, or of velocity evaluations in all (NFE).
package enum StepBudget: Hashable, Sendable {
    case steps(Int)
    case evaluations(Int)

    /// The most velocity evaluations that a solve may make.
    package static let maxEvaluations = 1000

    /// The steps that this budget buys with a method: those asked for, or ⌊NFE / evaluations a
    /// step⌋ and at least one.
    ///
    /// Throws `invalidRequest` below 1 and where the solve would exceed `maxEvaluations`.
    package func steps(with tableau: ButcherTableau) throws(SolverError) -> Int {
        let cost = tableau.evaluationsPerStep
        switch self {
        case .steps(let steps):
            guard steps >= 1, steps <= Self.maxEvaluations / cost else {
                throw SolverError(
                    .invalidRequest,
                    "1 to \(Self.maxEvaluations / cost) steps expected with solver "
                        + "\(tableau.name) (\(cost) evaluations a step, \(Self.maxEvaluations) in "
                        + "all), but \(steps) asked for")
            }
            return steps
        case .evaluations(let evaluations):
            guard (1...Self.maxEvaluations).contains(evaluations) else {
                throw SolverError(
                    .invalidRequest,
                    "1 to \(Self.maxEvaluations) velocity evaluations (NFE) "
                        + "expected, but \(evaluations) asked for")
            }
            return max(1, evaluations / cost)
        }
    }
}
