/// A solve of dz/dt = v(z, t) from noise, at t = 0 or a little later, to t = 1 in progress: a resumable state machine that says
/// what to do next and never does it.
///
/// The caller provides `slotCount` buffers, puts the initial state in slot 0, and performs each
/// action that `next` returns before it asks for another:
///
///     var solve = Solve(plan)
///     while true {
///         switch solve.next() {
///         case .evaluate(let evaluation): …
///         case .combine(let combination): …
///         case .estimateError(let estimate): solve.answer(error: …)
///         case .finished(let slot): return …
///         }
///     }
///
/// A solve is a value: it can be stored between evaluations, copied, or dropped.
package struct Solve: Sendable {
    private enum Method {
        case fixed(SolverPlan, position: Int)
        case adaptive(AdaptiveSolve)
    }

    private var method: Method
    /// How many buffers the caller provides.
    package let slotCount: Int
    /// Velocity evaluations asked for so far.
    package private(set) var evaluations = 0

    /// A solve that follows a plan.
    package init(_ plan: SolverPlan) {
        slotCount = plan.slotCount
        method = .fixed(plan, position: 0)
    }

    /// A solve that chooses its steps, from the time `start` on.
    ///
    /// Throws `invalidRequest` for a method that does not estimate its error.
    package init(
        adaptive tableau: ButcherTableau, tolerance: AdaptiveTolerance = .standard,
        from start: Double = 0
    ) throws(SolverError) {
        let solve = try AdaptiveSolve(tableau, tolerance: tolerance, from: start)
        slotCount = solve.slotCount
        method = .adaptive(solve)
    }

    /// The next action. After `.finished` it is `.finished` again.
    package mutating func next() -> SolverAction {
        let action: SolverAction
        switch method {
        case .fixed(let plan, let position):
            guard position < plan.actions.count else { return .finished(slot: 0) }
            action = plan.actions[position]
            method = .fixed(plan, position: position + 1)
        case .adaptive(var solve):
            action = solve.next()
            method = .adaptive(solve)
        }
        if case .evaluate = action { evaluations += 1 }
        return action
    }

    /// Answers `.estimateError`. Anything else has no use for an answer and ignores it.
    package mutating func answer(error: Double) {
        guard case .adaptive(var solve) = method else { return }
        solve.answer(error: error)
        method = .adaptive(solve)
    }

    /// How far the solve has come, 0 to 1: the share of the plan's evaluations asked for, or the
    /// time reached where steps are chosen on the way.
    package var progress: Double {
        switch method {
        case .fixed(let plan, _): Double(evaluations) / Double(max(1, plan.evaluations))
        case .adaptive(let solve): solve.time
        }
    }

    /// Whether it has finished, and how.
    package var outcome: SolveOutcome {
        switch method {
        case .fixed(let plan, let position):
            position < plan.actions.count ? .running : .completed
        case .adaptive(let solve): solve.outcome
        }
    }
}

/// The state of a solve.
package enum SolveOutcome: String, Hashable, Sendable {
    /// Not finished.
    case running
    /// At t = 1, every step within its tolerance (or on its grid).
    case completed
    /// At t = 1, but the last of the budget was spent on a step longer than the tolerance allows.
    case budgetReached
    /// At t = 1, but at least one step of the least size missed the tolerance.
    case toleranceMissed
    /// Given up: the error is not finite even at the least step, or in the budget's last one.
    case diverged
}

/// An action that a solve asks its caller to perform.
///
/// A solve knows slots, not numbers: a slot is a buffer of the caller's, as large as the state. The
/// caller performs the actions in order on arrays, tensors or device memory alike.
package enum SolverAction: Hashable, Sendable {
    /// Evaluate the velocity.
    case evaluate(Evaluation)
    /// Overwrite a slot with a linear combination of slots.
    case combine(Combination)
    /// Measure the error of a step, and answer with `Solve.answer(error:)` before asking on.
    case estimateError(ErrorEstimate)
    /// Nothing is left to do; the slot holds the state at t = 1.
    case finished(slot: Int)

    /// `slots[output] = v(slots[input], time)`; input and output differ.
    package struct Evaluation: Hashable, Sendable {
        /// The slot that holds the state.
        package let input: Int
        /// The slot to write the velocity to.
        package let output: Int
        /// The time, 0 (noise) to 1 (data).
        package let time: Double
        /// The index of `time` in the plan's `times`; nil where steps are chosen on the way.
        package let timeIndex: Int?

        package init(input: Int, output: Int, time: Double, timeIndex: Int?) {
            self.input = input
            self.output = output
            self.time = time
            self.timeIndex = timeIndex
        }
    }

    /// `slots[output] = Σ coefficient · slots[slot]`, elementwise. The output may be among the
    /// terms.
    package struct Combination: Hashable, Sendable {
        /// The slot to overwrite.
        package let output: Int
        /// One term a slot, no coefficient zero.
        package let terms: [Term]

        package init(output: Int, terms: [Term]) {
            self.output = output
            self.terms = terms
        }
    }

    /// One summand of a combination.
    package struct Term: Hashable, Sendable {
        /// The slot.
        package let slot: Int
        /// Its coefficient.
        package let coefficient: Double

        package init(slot: Int, coefficient: Double) {
            self.slot = slot
            self.coefficient = coefficient
        }
    }

    /// The error e = Σ coefficient · slots[slot], elementwise, is to be measured as the root mean
    /// square of `e / (absolute + relative · max(|before|, |after|))`; 1 is just acceptable.
    package struct ErrorEstimate: Hashable, Sendable {
        /// The terms of e.
        package let terms: [Term]
        /// The slot with the state at the beginning of the step.
        package let before: Int
        /// The slot with the state at its end.
        package let after: Int
        /// The absolute tolerance.
        package let absolute: Double
        /// The relative tolerance.
        package let relative: Double

        package init(terms: [Term], before: Int, after: Int, absolute: Double, relative: Double) {
            self.terms = terms
            self.before = before
            self.after = after
            self.absolute = absolute
            self.relative = relative
        }
    }
}
