package import PosedModels
package import PosedSolvers
package import PosedTensor

/// A solve in a `BatchSolver`: its state, and the device memory that it holds until it is released. Used by
/// the solver's thread.
package final class BatchedSolve {
    /// The source and the pose.
    package let condition: RowCondition
    /// The method's name.
    let solver: String
    let guidance: Double
    let slots: [Tensor]
    /// Modulation vectors of all times, [times, (6·depth + 2)·D]; nil where times are not known.
    let modulations: Tensor?
    /// The same of the empty branch; nil without guidance, too.
    let emptyModulations: Tensor?
    var solve: Solve
    /// The evaluation that is next; nil when the solve is finished.
    var pending: SolverAction.Evaluation?
    /// The slot of the result, once it is finished.
    var result: Int?
    /// The time on the path at which it began; 0 for noise.
    package let start: Double
    /// Evaluations that it will make in all, or at most where it chooses its steps.
    package let plannedEvaluations: Int

    init(
        condition: RowCondition, solver: String, guidance: Double, start: Double,
        _ run: SamplingRun,
        slots: [Tensor], modulations: Tensor?, emptyModulations: Tensor?
    ) {
        self.condition = condition
        self.solver = solver
        self.guidance = guidance
        self.start = start
        solve = run.solve
        plannedEvaluations = run.evaluations
        self.slots = slots
        self.modulations = modulations
        self.emptyModulations = emptyModulations
    }

    /// Rows of one evaluation.
    package var rows: Int { guidance == 1 ? 1 : 2 }

    /// Evaluations made.
    package var evaluations: Int { solve.evaluations - (pending == nil ? 0 : 1) }

    /// Whether it has arrived.
    package var isFinished: Bool { result != nil }

    /// How it stands, or ended.
    package var outcome: SolveOutcome { solve.outcome }

    /// The shape of its latents, [1, h, w, C].
    package var latentShape: [Int] { slots.first?.shape ?? [] }

    /// The latent it arrived at, [1, h, w, C] float32; nil before that.
    package var latent: Tensor? { result.map { slots[$0] } }
}

/// The form of a solve: along a plan, or choosing its steps.
struct SamplingRun {
    let solve: Solve
    /// All times of evaluations, where they are known beforehand.
    let times: [Double]
    /// Evaluations in all, or at most where steps are chosen.
    let evaluations: Int
    /// The time on the path at which it begins.
    let start: Double

    /// - Parameters:
    ///   - origin: The time of the model's noise.
    ///   - start: The time at which the solve begins. A method that can choose its steps walks a fixed grid
    ///     from any time but the noise's.
    /// - Throws: `SolverError` for impossible settings.
    init(
        _ tableau: ButcherTableau, _ settings: SamplingSettings, origin: Double,
        from start: Double = 0
    ) throws {
        if tableau.bError != nil, start <= origin, settings.timeGrid == nil,
            case .evaluations(let most) = settings.budget
        {
            let tolerance = try AdaptiveTolerance(
                relative: AdaptiveTolerance.standard.relative,
                absolute: AdaptiveTolerance.standard.absolute, maxEvaluations: most)
            solve = try Solve(adaptive: tableau, tolerance: tolerance, from: origin)
            times = []
            evaluations = most
            self.start = origin
        } else {
            let grid = try settings.grid(tableau, origin: origin, from: start)
            let plan = SolverPlan(
                tableau, on: grid, lastStepFirstOrder: settings.lastStepFirstOrder)
            solve = Solve(plan)
            times = plan.times
            evaluations = plan.evaluations
            self.start = grid.points[0]
        }
    }
}

extension Compute {
    /// The error of a step as its estimate defines it, in double, on the host.
    ///
    /// - Throws: `BackendError` when the device fails.
    func error(_ estimate: SolverAction.ErrorEstimate, in slots: [Tensor]) throws -> Double {
        let before = try floats(slots[estimate.before])
        let after = try floats(slots[estimate.after])
        var difference = [Double](repeating: 0, count: before.count)
        for term in estimate.terms {
            for (index, value) in try floats(slots[term.slot]).enumerated() {
                difference[index] += term.coefficient * Double(value)
            }
        }
        var sum = 0.0
        for index in difference.indices {
            let size = Double(max(abs(before[index]), abs(after[index])))
            let ratio = difference[index] / (estimate.absolute + estimate.relative * size)
            sum += ratio * ratio
        }
        return (sum / Double(max(difference.count, 1))).squareRoot()
    }
}
