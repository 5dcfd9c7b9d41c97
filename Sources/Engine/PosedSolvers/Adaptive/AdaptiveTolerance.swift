/// What a solve that chooses its own steps aims for, and what it may spend.
package struct AdaptiveTolerance: Hashable, Sendable {
    /// The error allowed in a step, relative to the state's elements.
    package let relative: Double
    /// The error allowed in a step whatever the state, in the state's unit.
    package let absolute: Double
    /// The most velocity evaluations.
    package let maxEvaluations: Int
    /// The size of the first step, in time.
    package let firstStep: Double
    /// The least size of a step, in time.
    package let leastStep: Double

    /// A tolerance of 1e-3 and at most 200 evaluations.
    package static let standard = AdaptiveTolerance(
        checked: 1e-3, absolute: 1e-3, maxEvaluations: 200, firstStep: 0.05, leastStep: 1e-4)

    /// Throws `invalidRequest` unless the tolerances lie in [1e-12, 1], evaluations in
    /// 1…`StepBudget.maxEvaluations`, and 1e-9 ≤ leastStep ≤ firstStep ≤ 1.
    package init(
        relative: Double, absolute: Double, maxEvaluations: Int = 200, firstStep: Double = 0.05,
        leastStep: Double = 1e-4
    ) throws(SolverError) {
        let tolerances = 1e-12...1.0
        guard tolerances.contains(relative), tolerances.contains(absolute) else {
            throw SolverError(
                .invalidRequest,
                "tolerances from 1e-12 to 1 expected, but relative is \(relative) "
                    + "and absolute \(absolute)")
        }
        guard (1...StepBudget.maxEvaluations).contains(maxEvaluations) else {
            throw SolverError(
                .invalidRequest,
                "1 to \(StepBudget.maxEvaluations) velocity evaluations (NFE) "
                    + "expected, but \(maxEvaluations) asked for")
        }
        guard leastStep >= 1e-9, leastStep <= firstStep, firstStep <= 1 else {
            throw SolverError(
                .invalidRequest,
                "1e-9 ≤ least step ≤ first step ≤ 1 expected, but they are "
                    + "\(leastStep) and \(firstStep)")
        }
        self.init(
            checked: relative, absolute: absolute, maxEvaluations: maxEvaluations,
            firstStep: firstStep, leastStep: leastStep)
    }

    private init(
        checked relative: Double, absolute: Double, maxEvaluations: Int, firstStep: Double,
        leastStep: Double
    ) {
        self.relative = relative
        self.absolute = absolute
        self.maxEvaluations = maxEvaluations
        self.firstStep = firstStep
        self.leastStep = leastStep
    }
}
