package import PosedModels
package import PosedSolvers
package import PosedTensor

/// A solve among others in a `BatchSolver`: where it stands, and the device memory it holds until it is
/// dropped. Used by the solver's thread.
package final class BatchedSolve {
    /// The source and the pose.
    package let condition: RowCondition
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
    /// Where on the path it began; 0 at noise.
    package let start: Double
    /// Evaluations that it will make in all, or at most where it chooses its steps.
    package let plannedEvaluations: Int

    init(
        condition: RowCondition, guidance: Double, start: Double, _ run: SamplingRun,
        slots: [Tensor], modulations: Tensor?, emptyModulations: Tensor?
    ) {
        self.condition = condition
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
