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

    /// What to do next. After `.finished` it says so again.
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
