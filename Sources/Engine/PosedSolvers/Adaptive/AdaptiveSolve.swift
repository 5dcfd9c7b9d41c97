/// The state machine of a solve that chooses its steps.
///
/// Slot 0 and the last slot take turns as state and candidate; the slots between hold the stages'
/// velocities. A rejected step keeps its first velocity, an accepted one hands over its last where
/// the method is first-same-as-last. When the budget allows one step more, that step goes straight
/// to t = 1, so that a solve always arrives and never spends more than it may.
struct AdaptiveSolve: Sendable {
    private enum Phase {
        case combine(stage: Int), evaluate(stage: Int), combineResult, estimate, awaitError,
            finished
    }

    /// A step that covers this share of what is left covers all of it.
    private static let crumb = 0.999

    private let tableau: ButcherTableau
    private let weights: [Double]
    private let tolerance: AdaptiveTolerance
    private var controller: StepController
    private var phase = Phase.evaluate(stage: 0)
    private var state = 0
    private var candidate: Int
    /// The slot of each stage's velocity.
    private var velocities: [Int]
    /// The size of the step that is being made.
    private var size: Double
    private var isLastOfBudget = false
    private var missedTolerance = false
    private var spent = 0

    /// The time reached, up to 1.
    private(set) var time: Double
    private(set) var outcome = SolveOutcome.running
    let slotCount: Int

    init(
        _ tableau: ButcherTableau, tolerance: AdaptiveTolerance, from start: Double
    ) throws(SolverError) {
        guard let weights = tableau.bError else {
            throw SolverError(
                .invalidRequest,
                "solver \(tableau.name) does not estimate its error, so it cannot "
                    + "choose its steps; ask for steps or evaluations instead")
        }
        guard tolerance.maxEvaluations >= tableau.stages else {
            throw SolverError(
                .invalidRequest,
                "solver \(tableau.name) needs at least \(tableau.stages) "
                    + "evaluations, but \(tolerance.maxEvaluations) are allowed")
        }
        self.tableau = tableau
        time = start
        self.weights = weights
        self.tolerance = tolerance
        controller = StepController(order: tableau.order)
        velocities = Array(1...tableau.stages)
        candidate = tableau.stages + 1
        slotCount = tableau.stages + 2
        size = tolerance.firstStep
        prepare(size: size, hasFirstVelocity: false)
    }

    mutating func next() -> SolverAction {
        switch phase {
        case .combine(let stage):
            phase = .evaluate(stage: stage)
            return combine(tableau.a[stage])
        case .evaluate(let stage):
            let last = stage + 1 == tableau.stages
            // A first-same-as-last method has its result in the candidate already.
            let afterLast = tableau.isFirstSameAsLast ? Phase.estimate : .combineResult
            phase = last ? afterLast : .combine(stage: stage + 1)
            spent += 1
            return .evaluate(
                .init(
                    input: stage == 0 ? state : candidate, output: velocities[stage],
                    time: min(1, time + tableau.c[stage] * size), timeIndex: nil))
        case .combineResult:
            phase = .estimate
            return combine(tableau.b)
        case .estimate, .awaitError:
            phase = .awaitError
            return .estimateError(
                .init(
                    terms: terms(weights), before: state, after: candidate,
                    absolute: tolerance.absolute, relative: tolerance.relative))
        case .finished: return .finished(slot: state)
        }
    }

    mutating func answer(error: Double) {
        guard case .awaitError = phase else { return }
        // A step may be longer than it was meant to be by the crumb it takes along.
        let isLeast = size * Self.crumb <= tolerance.leastStep
        if isLastOfBudget || isLeast {
            guard error.isFinite else { return finish(.diverged) }
        }
        if error <= 1 {
            accept(error: error)
        } else if isLastOfBudget {
            accept(error: error)
            outcome = .budgetReached
        } else if isLeast {
            missedTolerance = true
            accept(error: error)
        } else {
            let factor = controller.factorAfterRejecting(error: error)
            prepare(size: max(tolerance.leastStep, size * factor), hasFirstVelocity: true)
        }
    }

    private mutating func accept(error: Double) {
        let factor = controller.factorAfterAccepting(error: error)
        swap(&state, &candidate)
        time = size >= 1 - time ? 1 : time + size
        guard time < 1 else { return finish(missedTolerance ? .toleranceMissed : .completed) }
        if tableau.isFirstSameAsLast { velocities.swapAt(0, tableau.stages - 1) }
        prepare(
            size: max(tolerance.leastStep, size * factor),
            hasFirstVelocity: tableau.isFirstSameAsLast)
    }

    private mutating func finish(_ outcome: SolveOutcome) {
        self.outcome = outcome
        phase = .finished
    }

    /// Begins a step of at most this size; all that is left if the budget has no room for two, and
    /// neither a crumb left over at the end.
    private mutating func prepare(size wanted: Double, hasFirstVelocity: Bool) {
        let cost = tableau.stages - (hasFirstVelocity ? 1 : 0)
        // The step after this one may have to evaluate all stages but the first.
        let next = tableau.stages - (tableau.isFirstSameAsLast ? 1 : 0)
        isLastOfBudget = spent + cost + next > tolerance.maxEvaluations
        let left = 1 - time
        size = isLastOfBudget || wanted >= left * Self.crumb ? left : wanted
        phase = hasFirstVelocity ? .combine(stage: 1) : .evaluate(stage: 0)
    }

    private func combine(_ row: [Double]) -> SolverAction {
        .combine(
            .init(output: candidate, terms: [.init(slot: state, coefficient: 1)] + terms(row)))
    }

    private func terms(_ row: [Double]) -> [SolverAction.Term] {
        row.enumerated().compactMap { stage, coefficient in
            coefficient == 0
                ? nil : .init(slot: velocities[stage], coefficient: coefficient * size)
        }
    }
}
