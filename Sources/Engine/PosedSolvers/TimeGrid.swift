/// The points in time at which a solve on a fixed grid steps: from noise, which lies at 0 or at a time of
/// the model's own, or from a later start, to 1, which is data.
package struct TimeGrid: Hashable, Sendable {
    /// The points, strictly increasing, first the start and last 1: one more than there are steps.
    package let points: [Double]

    /// Equal steps from `origin` to 1, each point t of [0, 1] first moved to s·t / (1 + (s − 1)·t).
    ///
    /// - Parameters:
    ///   - steps: 1 to `StepBudget.maxEvaluations`.
    ///   - timeShift: s, 0.01 to 100; above 1 it puts more steps near the data, at 1 nothing moves.
    ///   - origin: The time of noise, from 0 to below 1.
    ///
    /// Throws `invalidRequest` for anything else.
    package init(
        steps: Int, timeShift: Double = 1, origin: Double = 0
    ) throws(SolverError) {
        guard (1...StepBudget.maxEvaluations).contains(steps) else {
            throw SolverError(
                .invalidRequest,
                "1 to \(StepBudget.maxEvaluations) steps expected, but \(steps) asked for")
        }
        guard (0.01...100).contains(timeShift) else {
            throw SolverError(
                .invalidRequest, "a time shift from 0.01 to 100 expected, but it is \(timeShift)")
        }
        points = (0...steps).map { index in
            let time = Double(index) / Double(steps)
            let moved = timeShift * time / (1 + (timeShift - 1) * time)
            return index == steps ? 1 : origin + (1 - origin) * moved
        }
    }

    /// The points as given: 2 to `StepBudget.maxEvaluations` + 1 of them, strictly increasing, the first
    /// at `origin`, within a millionth, the last 1.
    ///
    /// Throws `invalidRequest` for anything else.
    package init(points: [Double], origin: Double = 0) throws(SolverError) {
        func refusal(_ what: String) -> SolverError {
            SolverError(.invalidRequest, "a time grid \(what)")
        }
        guard (2...StepBudget.maxEvaluations + 1).contains(points.count) else {
            throw refusal(
                "of 2 to \(StepBudget.maxEvaluations + 1) times expected, but it has "
                    + "\(points.count)")
        }
        guard zip(points, points.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw refusal("of increasing times expected, but it goes back or stands still")
        }
        guard abs(points[0] - origin) <= 1e-6, points.last == 1 else {
            throw refusal(
                "from \(origin), where this model's noise lies, to 1 expected, but it goes from "
                    + "\(points[0]) to \(points[points.count - 1])")
        }
        self.points = points
    }

    /// The part of a grid that is left of it from `start` on: as many steps as the whole would make there,
    /// rounded, and at least one; laid out as the whole is, between `start` and 1. A start at or before
    /// `origin` leaves the whole.
    ///
    /// Throws `invalidRequest` as the whole does, and for a start outside [0, 1).
    package init(
        steps: Int, timeShift: Double = 1, origin: Double = 0, from start: Double
    ) throws(SolverError) {
        guard start >= 0, start < 1 else {
            throw SolverError(
                .invalidRequest,
                "a start on the path from 0 to below 1 expected, but it is \(start)")
        }
        let whole = try TimeGrid(steps: steps, timeShift: timeShift, origin: origin)
        guard start > origin else {
            self = whole
            return
        }
        let left = max(1, Int((Double(steps) * (1 - start) / (1 - origin)).rounded()))
        points = try TimeGrid(steps: left, timeShift: timeShift, origin: start).points
    }

    /// The rest of this grid from `start` on: that time, and the points after it.
    package func rest(from start: Double) -> TimeGrid {
        start <= points[0] ? self : TimeGrid(checked: [start] + points.filter { $0 > start })
    }

    private init(checked points: [Double]) { self.points = points }

    /// The number of steps.
    package var steps: Int { points.count - 1 }
}

/// The cost of steps on a fixed grid, in velocity evaluations.
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
