import PosedBackend
import PosedErrors
import PosedModels
import PosedPipeline
import PosedSolvers
import PosedTensor
import PosedVision

/// Performs the lane's work with the engine: a workbench for each model and size, of which those used
/// least recently are given up.
final class PipelineExecutor: LaneExecutor {
    private let models: [PoseModel]
    private let solvers: SolverRegistry
    private var batchRows: Int
    private let benchLimit: Int
    private var benches: [(form: LaneForm, bench: Workbench)] = []
    private let sourceEncoderIdle: Duration?
    private let largeEncoder: Int
    /// When each model last encoded a source.
    private var lastSource: [Int: ContinuousClock.Instant] = [:]

    /// - Parameters:
    ///   - batchRows: rows that any batch has at most.
    ///   - benchLimit: workbenches kept, those with solves in progress excepted.
    ///   - sourceEncoderIdle: how long after the last source a large encoder of sources alone is given
    ///     back; nil: never.
    ///   - largeEncoder: encoders with fewer bytes of weights are kept.
    init(
        _ models: [PoseModel], _ solvers: SolverRegistry, batchRows: Int, benchLimit: Int,
        sourceEncoderIdle: Duration? = nil, largeEncoder: Int
    ) {
        self.sourceEncoderIdle = sourceEncoderIdle
        self.largeEncoder = largeEncoder
        self.models = models
        self.solvers = solvers
        self.batchRows = batchRows
        self.benchLimit = max(benchLimit, models.count)
    }

    /// The workbench of a form, made if there is none.
    func bench(_ form: LaneForm) throws -> Workbench {
        if let index = benches.firstIndex(where: { $0.form == form }) {
            let known = benches.remove(at: index)
            benches.append(known)
            return known.bench
        }
        giveUp(downTo: benchLimit - 1)
        let made = try Workbench(models[form.model], solvers, form, batchRows: batchRows)
        benches.append((form, made))
        return made
    }

    /// Gives up workbenches without solves, those used least recently first, until so many are left. Those
    /// of the models' own sizes stay, and so does that of `form`.
    ///
    /// - Returns: Whether any was given up.
    @discardableResult
    private func giveUp(downTo count: Int, except form: LaneForm? = nil) -> Bool {
        var models: Set<Int> = []
        while benches.count > count,
            let idle = benches.firstIndex(where: {
                $0.bench.solves == 0 && !isStandard($0.form) && $0.form != form
            })
        {
            models.insert(benches.remove(at: idle).form.model)
        }
        for model in models { self.models[model].streams.trim() }
        return !models.isEmpty
    }

    /// Does something for a form. Where a device has no room for it, what is idle is given up, and it is
    /// tried once more.
    private func makingRoom<Value>(for form: LaneForm, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as BackendError where error.code == .outOfMemory {
            guard giveUp(downTo: 0, except: form) else { throw error }
            return try body()
        }
    }

    /// Makes do with fewer rows than were provided for; only while no solve is in progress.
    ///
    /// - Throws: `BackendError` when the device has no room.
    func limit(toRows rows: Int) throws {
        batchRows = min(batchRows, rows)
        for (_, bench) in benches { try bench.limit(toRows: batchRows) }
    }

    func source(_ pictures: [Image], _ form: LaneForm) throws -> any Conditioning {
        defer { lastSource[form.model] = .now }
        let made = try makingRoom(for: form) { try bench(form).pipeline.source(pictures) }
        try models[form.model].streams.transformer.synchronize()
        return made
    }

    func pose(_ pose: PoseInput, _ form: LaneForm) throws -> any Conditioning {
        let made = try makingRoom(for: form) { try bench(form).pipeline.pose(pose) }
        try models[form.model].streams.transformer.synchronize()
        return made
    }

    func begin(
        _ plan: SolvePlan, source: any Conditioning, pose: any Conditioning, _ form: LaneForm
    ) throws -> any LaneSolve {
        guard let source = source as? SourceCondition, let pose = pose as? PoseCondition else {
            throw RequestError(.internal, "conditions of another executor came to this one")
        }
        let bench = try makingRoom(for: form) { try self.bench(form) }
        var warmStart: BatchSolver.WarmStart?
        if plan.warmStart > 0, let previous = plan.previous as? KeptLatent,
            previous.latent.shape[1] == bench.pipeline.latentSize.height,
            previous.latent.shape[2] == bench.pipeline.latentSize.width
        {
            warmStart = .init(time: plan.warmStart, latent: previous.latent)
        }
        let solve = try makingRoom(for: form) {
            try bench.solver.begin(
                try bench.pipeline.condition(source, pose), plan.settings, plan.tableau,
                warmStart: warmStart)
        }
        try models[form.model].streams.transformer.synchronize()
        bench.solves += 1
        return BenchSolve(solve)
    }

    func evaluate(_ solves: [any LaneSolve], _ form: LaneForm) throws -> [(any Error)?] {
        try makingRoom(for: form) {
            try bench(form).solver.evaluate(solves.compactMap { ($0 as? BenchSolve)?.solve })
        }
    }

    func decode(_ solve: any LaneSolve, _ form: LaneForm) throws -> Image {
        guard let solve = (solve as? BenchSolve)?.solve, let latent = solve.latent,
            let image = try makingRoom(
                for: form,
                { try bench(form).pipeline.decode(latent, of: [solve.condition]).first })
        else { throw RequestError(.internal, "a solve that has not arrived was to be decoded") }
        return image
    }

    func result(of solve: any LaneSolve, _ form: LaneForm) -> (any Conditioning)? {
        (solve as? BenchSolve)?.solve.latent.map(KeptLatent.init)
    }

    func end(_ solve: any LaneSolve, _ form: LaneForm) {
        guard let solve = solve as? BenchSolve,
            let bench = benches.first(where: { $0.form == form })?.bench
        else { return }
        bench.solver.end(solve.solve)
        bench.solves -= 1
    }

    func tidy(now: ContinuousClock.Instant) -> Duration? {
        guard let sourceEncoderIdle else { return nil }
        var next: Duration?
        for (index, model) in models.enumerated() {
            guard let last = lastSource[index], model.canReleaseSourceEncoder,
                model.sourceEncoder.isLoaded,
                model.sourceEncoder.byteCount >= largeEncoder
            else { continue }
            let left = sourceEncoderIdle - last.duration(to: now)
            if left > .zero {
                next = min(next ?? left, left)
            } else {
                for (form, bench) in benches where form.model == index {
                    bench.pipeline.dropSourceEncoder()
                }
                model.sourceEncoder.release()
            }
        }
        return next
    }

    /// Whether it is a model at its own size: those stay.
    private func isStandard(_ form: LaneForm) -> Bool {
        models[form.model].pictureSize == (form.width, form.height)
    }
}
