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
    ///
    /// - Parameter lastStepFirstOrder: Whether the last step is Euler's where the method evaluates the
    ///   velocity at a step's end.
    package init(
        _ tableau: ButcherTableau, on grid: TimeGrid, lastStepFirstOrder: Bool = true
    ) {
        let last: ButcherTableau =
            lastStepFirstOrder && tableau.evaluatesStepEnd ? .euler : tableau
        let intervals = Array(zip(grid.points, grid.points.dropFirst()))
        let methods = intervals.indices.map { $0 + 1 == intervals.count ? last : tableau }
        var times: Set<Double> = []
        for (method, (begin, end)) in zip(methods, intervals) {
            for stage in method.contributingStages {
                times.insert(Self.time(of: method.c[stage], from: begin, to: end))
            }
        }
        self.times = times.sorted()
        var indices: [Double: Int] = [:]
        for (index, time) in self.times.enumerated() { indices[time] = index }

        let (layout, lastLayout) = (StepLayout(tableau), StepLayout(last))
        var actions: [SolverAction] = []
        for (number, (begin, end)) in intervals.enumerated() {
            let isLast = number + 1 == intervals.count
            for part in (isLast ? lastLayout : layout).parts {
                actions.append(
                    Self.action(part, of: methods[number], from: begin, to: end, indices))
            }
        }
        solver = tableau.name
        steps = grid.steps
        slotCount = max(steps > 1 ? layout.slotCount : 0, lastLayout.slotCount)
        evaluations = tableau.cost(lastStepFirstOrder: lastStepFirstOrder).evaluations(steps: steps)
        self.actions = actions
    }

    /// Compiles what a request asks for: a method, a budget and a time shift.
    package init(
        _ tableau: ButcherTableau, budget: StepBudget, timeShift: Double = 1,
        lastStepFirstOrder: Bool = true
    ) throws(SolverError) {
        let steps = try budget.steps(with: tableau, lastStepFirstOrder: lastStepFirstOrder)
        self.init(
            tableau, on: try TimeGrid(steps: steps, timeShift: timeShift),
            lastStepFirstOrder: lastStepFirstOrder)
    }

    /// One part of a step from `begin` to `end`.
    private static func action(
        _ part: StepLayout.Part, of tableau: ButcherTableau, from begin: Double, to end: Double,
        _ indices: [Double: Int]
    ) -> SolverAction {
        switch part {
        case .evaluate(let stage, let input, let output):
            let time = time(of: tableau.c[stage], from: begin, to: end)
            return .evaluate(
                .init(input: input, output: output, time: time, timeIndex: indices[time]))
        case .combine(let output, let terms):
            let scaled = terms.map {
                SolverAction.Term(slot: $0.slot, coefficient: $0.coefficient * (end - begin))
            }
            return .combine(
                .init(output: output, terms: [.init(slot: 0, coefficient: 1)] + scaled))
        }
    }

    /// A stage's time; the ends of a step are met exactly, so that neighbours share them.
    private static func time(of c: Double, from begin: Double, to end: Double) -> Double {
        if c == 0 { return begin }
        return c == 1 ? end : begin + c * (end - begin)
    }
}

/// One step of a method, laid out in slots: slot 0 is the state, the others hold velocities and the
/// states in between, and are used again as soon as nobody needs what they hold.
struct StepLayout {
    /// A summand whose coefficient is still to be multiplied by the step's size.
    struct Term {
        let slot: Int
        let coefficient: Double
    }

    enum Part {
        /// Evaluates a stage.
        case evaluate(stage: Int, input: Int, output: Int)
        /// Writes slot 0 plus the scaled terms to a slot.
        case combine(output: Int, terms: [Term])
    }

    let parts: [Part]
    let slotCount: Int

    init(_ tableau: ButcherTableau) {
        var builder = Builder(tableau)
        for stage in tableau.contributingStages { builder.add(stage) }
        builder.finish()
        parts = builder.parts
        slotCount = builder.slotCount
    }

    /// Hands out slots while it goes through the stages.
    private struct Builder {
        let tableau: ButcherTableau
        var parts: [Part] = []
        var slotCount = 1
        private var free: [Int] = []
        /// The slot of each stage's velocity, while it is needed.
        private var slots: [Int: Int] = [:]

        init(_ tableau: ButcherTableau) { self.tableau = tableau }

        mutating func add(_ stage: Int) {
            let terms = terms(tableau.a[stage])
            // A velocity that nobody needs after this stage gives its slot to the state made from
            // it.
            for (source, slot) in slots where !isNeeded(source, after: stage) {
                slots[source] = nil
                free.append(slot)
            }
            var input = 0
            if !terms.isEmpty {
                input = take()
                parts.append(.combine(output: input, terms: terms))
            }
            let output = take()
            parts.append(.evaluate(stage: stage, input: input, output: output))
            slots[stage] = output
            if input != 0 { free.append(input) }
        }

        mutating func finish() {
            parts.append(.combine(output: 0, terms: terms(tableau.b)))
        }

        private func terms(_ row: [Double]) -> [Term] {
            row.enumerated().compactMap { stage, coefficient in
                guard coefficient != 0, let slot = slots[stage] else { return nil }
                return Term(slot: slot, coefficient: coefficient)
            }
        }

        private func isNeeded(_ source: Int, after stage: Int) -> Bool {
            tableau.b[source] != 0
                || tableau.contributingStages.contains { $0 > stage && tableau.a[$0][source] != 0 }
        }

        private mutating func take() -> Int {
            if let slot = free.min() {
                free.removeAll { $0 == slot }
                return slot
            }
            slotCount += 1
            return slotCount - 1
        }
    }
}
