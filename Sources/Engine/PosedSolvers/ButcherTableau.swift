/// An explicit Runge–Kutta method, given by its coefficients.
///
/// One step of size h from z at time t evaluates `k[i] = v(z + h·Σ a[i][j]·k[j], t + c[i]·h)` for
/// each stage i in turn, and ends at `z + h·Σ b[i]·k[i]`. A value of this type has passed every
/// check of `ButcherTableau+Checks`: no caller need doubt it.
package struct ButcherTableau: Hashable, Sendable {
    /// The name in a request, such as `heun`.
    package let name: String
    /// The order of convergence: halving h divides the error by 2 to this power.
    package let order: Int
    /// The stages' times, as fractions of a step; the first is 0.
    package let c: [Double]
    /// The strictly lower triangle: row i has i coefficients.
    package let a: [[Double]]
    /// The weights of the stages in the step's result.
    package let b: [Double]
    /// The weights of the stages in the estimate of a step's error (b minus the weights of the
    /// embedded method, which is of one order less); nil for a method without one.
    package let bError: [Double]?
    /// The stages that b depends on, directly or through others, in order. A fixed grid evaluates
    /// these alone.
    package let contributingStages: [Int]

    /// Checks the coefficients, to within 1e-9.
    ///
    /// Throws `invalidTableau` if the name is unfit, the lengths disagree, a number is not finite,
    /// the method is not explicit, a row of a does not sum to its c, b does not sum to 1, bError
    /// does not sum to 0, or the coefficients do not have the order they claim.
    package init(
        name: String, order: Int, c: [Double], a: [[Double]], b: [Double], bError: [Double]? = nil
    ) throws(SolverError) {
        try Self.check(name: name, order: order, c: c, a: a, b: b, bError: bError)
        self.init(checked: name, order: order, c: c, a: a, b: b, bError: bError)
    }

    /// For coefficients that were checked, by `init` or, for the built-in methods, by the tests.
    init(
        checked name: String, order: Int, c: [Double], a: [[Double]], b: [Double],
        bError: [Double]?
    ) {
        self.name = name
        self.order = order
        self.c = c
        self.a = a
        self.b = b
        self.bError = bError
        contributingStages = Self.contributingStages(a: a, b: b)
    }

    /// The number of stages, those that only serve the error estimate included.
    package var stages: Int { b.count }

    /// Velocity evaluations that a step on a fixed grid costs.
    package var evaluationsPerStep: Int { contributingStages.count }

    /// What steps on a fixed grid cost.
    ///
    /// - Parameter lastStepFirstOrder: Whether the last step is Euler's where the method evaluates the
    ///   velocity at a step's end.
    package func cost(lastStepFirstOrder: Bool) -> GridCost {
        GridCost(
            perStep: evaluationsPerStep,
            lastStep: lastStepFirstOrder && evaluatesStepEnd ? 1 : evaluationsPerStep)
    }

    /// Whether a step on a fixed grid evaluates the velocity at its end, c = 1. In the last step that is
    /// t = 1, where a trained velocity is worst.
    package var evaluatesStepEnd: Bool { contributingStages.contains { c[$0] == 1 } }

    /// Whether the method estimates its own error, and so can choose its steps.
    package var isAdaptive: Bool { bError != nil }

    /// First same as last: the last stage is evaluated where the step ends, so that it serves as
    /// the first stage of the next step.
    package var isFirstSameAsLast: Bool {
        guard stages > 1, let row = a.last else { return false }
        return c[stages - 1] == 1 && row == Array(b.dropLast()) && b[stages - 1] == 0
    }

    private static func contributingStages(a: [[Double]], b: [Double]) -> [Int] {
        var contributes = b.map { $0 != 0 }
        for stage in contributes.indices.reversed() where contributes[stage] {
            for (source, coefficient) in a[stage].enumerated() where coefficient != 0 {
                contributes[source] = true
            }
        }
        return contributes.indices.filter { contributes[$0] }
    }
}
