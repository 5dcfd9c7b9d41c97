import Dispatch
import PosedErrors
import PosedGuarded
import PosedModels
import PosedPipeline
import PosedServing
import PosedSolvers
import PosedVision

/// Measures what the daemon's engine room adds to the engine: the same frames by a pipeline in a loop, and
/// by concurrent callers of the room, in turns.
struct ServeBench {
    let parts: BenchParts
    let run: BenchRun
    let solvers: SolverRegistry
    let settings: SamplingSettings

    /// `serve.engine.c8` and `serve.frames.c8` for every batch: so many frames of as many sessions, in
    /// poses that nobody has seen; and `….seen.c1`, one frame in a pose that is known.
    func frames() throws {
        let model = try parts.model()
        let pipeline = try Pipeline(model, solvers: solvers)
        let engine = try Self.wait {
            var configuration = ServingConfiguration(models: [
                .init(name: "bench", model, fingerprint: "bench")
            ])
            configuration.limits.maxEvaluations = StepBudget.maxEvaluations
            (configuration.limits.frameTime, configuration.limits.stepTime) = (
                .seconds(86_400), .seconds(86_400)
            )
            return try await ServingEngine.load(configuration)
        }
        let count = run.batches.max() ?? 1
        let pictures = try (0..<count).map { try Self.picture(pipeline, UInt8(20 * $0 % 200)) }
        let sources = try pictures.map { try pipeline.source([$0]) }
        let sessions = try pictures.map { picture in
            try Self.wait {
                try await engine.createSession(NewSession(sources: [picture]), owner: "bench").name
            }
        }
        var round = 0
        for batch in run.batches {
            try run.compare(
                ("serve.engine.c\(batch)", "serve.frames.c\(batch)"),
                on: parts.streams.transformer,
                {
                    round += 1
                    let rows = try (0..<batch).map {
                        try pipeline.condition(sources[$0], pipeline.pose(Self.pose(round, $0)))
                    }
                    _ = try pipeline.decode(
                        try pipeline.sample(rows, settings).latents, of: rows)
                },
                {
                    round += 1
                    try frames(engine, Array(sessions.prefix(batch)), round)
                })
        }
        let seen = try pipeline.condition(sources[0], pipeline.pose(Self.pose(0, 0)))
        try run.compare(
            ("serve.engine.seen.c1", "serve.frames.seen.c1"), on: parts.streams.transformer,
            {
                _ = try pipeline.decode(
                    try pipeline.sample([seen], settings).latents, of: [seen])
            },
            { try frames(engine, [sessions[0]], 0) })
        try Self.wait { await engine.shutDown() }
    }

    /// A frame of each session, asked for at once.
    private func frames(_ engine: ServingEngine, _ sessions: [String], _ round: Int) throws {
        var said = FrameSettings()
        said.solver = settings.solver
        switch settings.budget {
        case .steps(let steps): said.steps = steps
        case .evaluations(let evaluations): said.evaluations = evaluations
        }
        said.guidance = settings.guidance
        said.timeShift = settings.timeShift
        said.lastStepFirstOrder = settings.lastStepFirstOrder
        said.seed = settings.seed
        let requests = try sessions.enumerated().map { index, session in
            FrameRequest(
                subject: .session(session), pose: try Self.pose(round, index), settings: said)
        }
        try Self.wait {
            try await withThrowingTaskGroup(of: Frame.self) { group in
                for request in requests {
                    group.addTask { try await engine.synthesize(request, owner: "bench") }
                }
                for try await _ in group {}
            }
        }
    }

    /// A picture of one shade.
    private static func picture(_ pipeline: Pipeline, _ shade: UInt8) throws -> Image {
        try Image(
            width: pipeline.width, height: pipeline.height, filledWith: RGB(shade, 128, 64))
    }

    /// A pose that differs from those of other rounds and places by a hair.
    private static func pose(_ round: Int, _ place: Int) throws -> PoseInput {
        let shift = 1e-6 * Double(round * 64 + place)
        return .keypoints(
            try Keypoints(
                (0..<18).map {
                    Keypoint(
                        x: 0.3 + 0.02 * Double($0) + shift, y: 0.1 + 0.045 * Double($0),
                        confidence: 1)
                }))
    }

    /// Waits on this thread for what is asynchronous.
    private static func wait<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let box = Box<Value>()
        Task {
            do {
                let value = try await body()
                box.result.withLock { $0 = .success(value) }
            } catch {
                box.result.withLock { $0 = .failure(error) }
            }
            done.signal()
        }
        done.wait()
        guard let result = box.result.withLock({ $0 }) else {
            throw RequestError(.internal, "a task ended without a result")
        }
        return try result.get()
    }

    private final class Box<Value: Sendable>: Sendable {
        let result = Guarded<Result<Value, any Error>?>(nil)
    }
}
