import PosedPipeline
import PosedSolvers

/// What frames of one model and one size are made with: the captured parts, and the rows of batches.
final class Workbench {
    let pipeline: Pipeline
    private(set) var solver: BatchSolver
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

    /// Makes do with fewer rows; only while no solve is in progress.
    ///
    /// - Throws: `BackendError` when the device has no room.
    func limit(toRows rows: Int) throws {
        guard solves == 0, rows < solver.batchRows else { return }
        let model = pipeline.model
        solver = try BatchSolver(
            model.transformer, pipeline.latentSize, rows: rows, on: model.streams.transformer)
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
