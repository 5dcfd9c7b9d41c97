import PosedOptions
import PosedPipeline
import PosedSolvers
import PosedTensor
import PosedVision

/// Measures what a session does: a source and a pose encoded, pictures sampled and decoded.
struct SessionBench {
    let parts: BenchParts
    let run: BenchRun
    let solvers: SolverRegistry
    let settings: SamplingSettings

    private let solveNames: [Int: String]

    /// - Throws: `SolverError` for settings that cannot be.
    init(
        parts: BenchParts, run: BenchRun, solvers: SolverRegistry, settings: SamplingSettings
    ) throws {
        self.parts = parts
        self.run = run
        self.solvers = solvers
        self.settings = settings
        let plan = try SolverPlan(
            try solvers.tableau(settings.solver), budget: settings.budget,
            timeShift: settings.timeShift, lastStepFirstOrder: settings.lastStepFirstOrder)
        var names: [Int: String] = [:]
        for batch in run.batches {
            names[batch] = parts.subject.solve(settings.solver, nfe: plan.evaluations, batch)
        }
        solveNames = names
    }

    /// Whether any of it is wanted, so that all parts are needed at once.
    var isWanted: Bool {
        (["session.source", "session.pose"] + solveNames.values).contains(where: run.wants)
    }

    /// `session.source`, `session.pose` and `solve.S.heun.nfe15.b1` for every batch.
    func sessions() throws {
        guard isWanted else { return }
        let pipeline = try Pipeline(try parts.model(), solvers: solvers)
        let compute = parts.streams.transformer
        let picture = try Self.picture(pipeline.width, pipeline.height)
        let source = try pipeline.source([picture])
        let pose = try pipeline.pose(try Self.pose())
        try measure("session.source") {
            _ = try pipeline.source([picture])
            try compute.synchronize()
        }
        try measure("session.pose") {
            _ = try pipeline.pose(try Self.pose())
            try compute.synchronize()
        }
        for batch in run.batches {
            let rows = try (0..<batch).map { _ in try pipeline.condition(source, pose) }
            try measure(solveNames[batch] ?? "") {
                _ = try pipeline.decode(
                    try pipeline.sample(rows, settings).latents, of: rows)
            }
        }
    }

    private func measure(_ name: String, _ body: () throws -> Void) throws {
        guard run.wants(name) else { return }
        Terminal.progress(name)
        try run.measure(name, on: parts.streams.transformer, at: run.placement, body)
    }

    /// A picture of noise.
    private static func picture(_ width: Int, _ height: Int) throws -> Image {
        let bytes = BenchRun.noise(width * height * 3).map { UInt8(($0 + 1) * 127) }
        return try Image(width: width, height: height, bytes: bytes)
    }

    /// A standing person, normalized to the picture.
    private static func pose() throws -> PoseInput {
        let joints: [(x: Double, y: Double)] = [
            (0.50, 0.16), (0.50, 0.28), (0.40, 0.29), (0.33, 0.42), (0.31, 0.55), (0.60, 0.29),
            (0.68, 0.41), (0.66, 0.55), (0.44, 0.56), (0.42, 0.74), (0.43, 0.92), (0.56, 0.56),
            (0.60, 0.75), (0.58, 0.93), (0.47, 0.13), (0.53, 0.13), (0.44, 0.15), (0.57, 0.15),
        ]
        return .keypoints(
            try Keypoints(joints.map { Keypoint(x: $0.x, y: $0.y, confidence: 1) }))
    }
}
