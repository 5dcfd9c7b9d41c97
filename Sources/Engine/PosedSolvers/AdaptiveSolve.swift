import Foundation

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

/// The tolerance and the budget of a solve that chooses its own steps.
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

/// Chooses the next step's size from the errors of the last two: a proportional-integral
/// controller.
struct StepController: Sendable {
    /// The share of the size that the errors suggest which is taken.
    private static let safety = 0.9
    /// The least and the most that a step's size is multiplied by.
    private static let bounds = 0.2...5.0

    /// The order of the method, and so the exponent at which a step's error grows with its size.
    private let order: Double
    private var previousError = 1.0
    private var wasRejected = false

    init(order: Int) { self.order = Double(order) }

    /// The factor for the step after one that was accepted with this error.
    mutating func factorAfterAccepting(error: Double) -> Double {
        let current = max(error, 1e-10)
        let factor = Self.safety * pow(current, -0.7 / order) * pow(previousError, 0.4 / order)
        previousError = max(current, 1e-4)
        defer { wasRejected = false }
        // Right after a rejection a step does not grow.
        return wasRejected ? min(1, clamped(factor)) : clamped(factor)
    }

    /// The factor for trying a step again that was rejected with this error.
    mutating func factorAfterRejecting(error: Double) -> Double {
        wasRejected = true
        guard error.isFinite else { return Self.bounds.lowerBound }
        return min(Self.safety, clamped(Self.safety * pow(error, -1 / order)))
    }

    private func clamped(_ factor: Double) -> Double {
        min(Self.bounds.upperBound, max(Self.bounds.lowerBound, factor))
    }
}
