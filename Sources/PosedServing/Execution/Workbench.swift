import PosedPipeline
import PosedSolvers

/// What frames of one model and one size are made with: the captured parts, and the rows of batches.
final class Workbench {
    let pipeline: Pipeline
    let solver: BatchSolver
    /// Solves in progress here.
    var solves = 0

    /// - Throws: `PipelineError` for a size that cannot be, `BackendError` when a device has no room.
    init(
        _ model: PoseModel, _ solvers: SolverRegistry, _ form: LaneForm, batchRows: Int
    ) throws {
        pipeline = try Pipeline(model, solvers: solvers, size: (form.width, form.height))
        solver = try BatchSolver(
            model.transformer, pipeline.latentSize, rows: batchRows, on: model.streams.transformer)
    }
}

/// A solve on a workbench.
final class BenchSolve: LaneSolve {
    let solve: BatchedSolve

    init(_ solve: BatchedSolve) { self.solve = solve }

    var evaluations: Int { solve.evaluations }
    var plannedEvaluations: Int { solve.plannedEvaluations }
    var isFinished: Bool { solve.isFinished }
    var start: Double { solve.start }
}
