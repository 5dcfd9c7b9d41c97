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

    /// The cost of steps on a fixed grid.
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

extension ButcherTableau {
    /// How far a sum may be from what it should be.
    static let tolerance = 1e-9
    /// The most stages that a method may have.
    static let maxStages = 32

    static func check(
        name: String, order: Int, c: [Double], a: [[Double]], b: [Double], bError: [Double]?
    ) throws(SolverError) {
        guard isFit(name: name) else {
            throw SolverError(
                .invalidTableau,
                "a solver's name has 1 to 64 small letters, digits, \"-\", \"_\" "
                    + "or \".\", but this one is \(name.prefix(80).debugDescription)")
        }
        let report = { (what: String) in SolverError(.invalidTableau, "solver \(name): \(what)") }
        guard (1...maxStages).contains(b.count) else {
            throw report("1 to \(maxStages) weights in b expected, but \(b.count) came")
        }
        try checkShape(c: c, a: a, stages: b.count, bError: bError, report)
        try checkSums(c: c, a: a, b: b, bError: bError, report)
        guard order >= 1 else { throw report("its order must be at least 1, but is \(order)") }
        guard order <= b.count else {
            throw report("an explicit method of \(b.count) stages cannot have order \(order)")
        }
        for condition in conditions(c: c, a: a, b: b)
        where condition.order <= order && abs(condition.sum - condition.expected) > tolerance {
            throw report(
                "it claims order \(order), but \(condition.name) is \(condition.sum) "
                    + "where \(condition.expected) is expected")
        }
    }

    private static func isFit(name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func checkShape(
        c: [Double], a: [[Double]], stages: Int, bError: [Double]?,
        _ report: (String) -> SolverError
    ) throws(SolverError) {
        guard c.count == stages else {
            throw report("b has \(stages) weights, so c needs as many, but has \(c.count)")
        }
        guard a.count == stages else {
            throw report("b has \(stages) weights, so a needs as many rows, but has \(a.count)")
        }
        for (index, row) in a.enumerated() where row.count != index {
            throw report(
                "an explicit method has \(index) coefficients in row \(index) of a, "
                    + "but this one has \(row.count)")
        }
        if let bError, bError.count != stages {
            throw report(
                "b has \(stages) weights, so b_error needs as many, but has \(bError.count)")
        }
    }

    private static func checkSums(
        c: [Double], a: [[Double]], b: [Double], bError: [Double]?,
        _ report: (String) -> SolverError
    ) throws(SolverError) {
        let all = [c, b, bError ?? []] + a
        guard all.allSatisfy({ $0.allSatisfy { $0.isFinite && abs($0) <= 1e6 } }) else {
            throw report("a coefficient is not finite, or beyond a million")
        }
        for (index, row) in a.enumerated() {
            let sum = row.reduce(0, +)
            guard abs(sum - c[index]) <= tolerance else {
                throw report("row \(index) of a sums to \(sum), but c[\(index)] is \(c[index])")
            }
        }
        for (index, time) in c.enumerated() where !(0...1).contains(time) {
            throw report("c[\(index)] must lie in [0, 1], but is \(time)")
        }
        let total = b.reduce(0, +)
        guard abs(total - 1) <= tolerance else {
            throw report("b must sum to 1, but sums to \(total)")
        }
        guard let bError else { return }
        let difference = bError.reduce(0, +)
        guard abs(difference) <= tolerance else {
            throw report("b_error must sum to 0, but sums to \(difference)")
        }
        guard bError.contains(where: { abs($0) > tolerance }) else {
            throw report("b_error is all zeros, which estimates no error")
        }
    }

    /// An equation that a method of some order satisfies.
    private struct Condition {
        let order: Int
        let name: String
        let sum: Double
        let expected: Double
    }

    /// The order conditions: all of them up to order 4, those of quadrature beyond.
    private static func conditions(c: [Double], a: [[Double]], b: [Double]) -> [Condition] {
        let stages = b.indices
        let ac = stages.map { i in a[i].indices.reduce(0) { $0 + a[i][$1] * c[$1] } }
        let acc = stages.map { i in a[i].indices.reduce(0) { $0 + a[i][$1] * c[$1] * c[$1] } }
        let aac = stages.map { i in a[i].indices.reduce(0) { $0 + a[i][$1] * ac[$1] } }
        let sum = { (term: (Int) -> Double) in stages.reduce(0) { $0 + b[$1] * term($1) } }
        var conditions = [
            Condition(order: 3, name: "Σ b·a·c", sum: sum { ac[$0] }, expected: 1 / 6),
            Condition(order: 4, name: "Σ b·c·a·c", sum: sum { c[$0] * ac[$0] }, expected: 1 / 8),
            Condition(order: 4, name: "Σ b·a·c²", sum: sum { acc[$0] }, expected: 1 / 12),
            Condition(order: 4, name: "Σ b·a·a·c", sum: sum { aac[$0] }, expected: 1 / 24),
        ]
        var powers = [Double](repeating: 1, count: b.count)
        for order in 2...max(2, b.count) {
            for stage in stages { powers[stage] *= c[stage] }
            let values = powers
            conditions.append(
                Condition(
                    order: order, name: order == 2 ? "Σ b·c" : "Σ b·c^\(order - 1)",
                    sum: sum { values[$0] }, expected: 1 / Double(order)))
        }
        return conditions.sorted { $0.order < $1.order }
    }
}
