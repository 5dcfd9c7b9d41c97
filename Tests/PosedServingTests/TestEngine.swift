import PosedBackend
import PosedPipeline
import PosedScheduling
import PosedServing
import PosedSolvers
import PosedVision

/// An engine room without a device, whose lane a test moves by hand.
final class TestEngine {
    let clock = TestClock()
    let lane: Lane
    let executor: FakeExecutor
    let worker: LaneWorker
    let engine: ServingEngine

    init(
        limits: ServingLimits = ServingLimits(), window: Int = 3,
        scheduler: SchedulerLimits = SchedulerLimits()
    ) throws {
        let clock = clock
        let tally = Tally(NoMetrics())
        lane = Lane(limits: scheduler, metrics: tally) { clock.now }
        executor = FakeExecutor(clock)
        worker = LaneWorker(lane, executor)
        var description = ModelDescription()
        description.name = "models/fake"
        (description.width, description.height, description.sizeMultiple) = (8, 8, 8)
        engine = try ServingEngine(
            lane: lane, tally: tally,
            models: [
                ServedModel(
                    description: description, sampler: SamplerDefaults(), numerics: "fake",
                    identity: "fake")
            ], registry: SolverRegistry(), solvers: [], backends: [], limits: limits,
            streamWindow: window, archive: nil)
    }

    /// A picture, told from others by its shade.
    static func picture(_ shade: UInt8 = 1) throws -> Image {
        try Image(width: 2, height: 1, bytes: [UInt8](repeating: shade, count: 6))
    }

    /// A pose, told from others by its number.
    static func pose(_ number: Int) throws -> PoseInput {
        .keypoints(
            try Keypoints((0..<18).map { Keypoint(x: Double(number + $0), y: Double($0 + 2)) }))
    }

    /// Takes steps of the lane, and lets others run, until the task is done.
    func finish<Value: Sendable>(_ task: Task<Value, any Error>) async throws -> Value {
        let watcher = Task { _ = await task.result }
        let done = Flag()
        let end = Task {
            await watcher.value
            done.set()
        }
        while !done.isSet {
            worker.step()
            await Task.yield()
        }
        await end.value
        return try await task.value
    }

    /// Takes steps of the lane, and lets others run, until something holds.
    func until(_ condition: () -> Bool) async {
        while !condition() {
            worker.step()
            await Task.yield()
        }
    }

    /// Lets others run, without the lane, until something holds.
    func waiting(until condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    /// A session, made.
    func session(_ owner: String = "o", shade: UInt8 = 1) async throws -> SessionDescription {
        let engine = engine
        let picture = try Self.picture(shade)
        return try await finish(
            Task { try await engine.createSession(NewSession(sources: [picture]), owner: owner) })
    }

    /// Whether anything is held anywhere.
    func isEmpty() -> Bool {
        worker.step()
        return lane.count == 0 && executor.live == 0 && worker.holdingCount == 0
            && worker.resultCount == 0 && engine.accepted == 0 && engine.leases == 0
            && engine.statistics.openStreams == 0
    }
}
