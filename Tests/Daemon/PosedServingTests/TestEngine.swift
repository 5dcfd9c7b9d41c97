import PosedAccounts
import PosedBackend
import PosedPipeline
import PosedScheduling
import PosedServing
import PosedSolvers
import PosedVision

/// An engine room without a device, whose lanes a test moves by hand.
final class TestEngine {
    let clock = TestClock()
    let lanes: [Lane]
    let executors: [FakeExecutor]
    let workers: [LaneWorker]
    let engine: ServingEngine

    /// Of the first lane.
    var lane: Lane { lanes[0] }
    var executor: FakeExecutor { executors[0] }
    var worker: LaneWorker { workers[0] }

    init(
        limits: ServingLimits = ServingLimits(), window: Int = 3,
        scheduler: SchedulerLimits = SchedulerLimits(), lanes count: Int = 1
    ) throws {
        let clock = clock
        let counters = ServingCounters(NoMetrics())
        lanes = (0..<count).map { _ in Lane(limits: scheduler, metrics: counters) { clock.now } }
        executors = (0..<count).map { _ in FakeExecutor(clock) }
        workers = zip(lanes, executors).map { LaneWorker($0, $1) }
        var description = ModelDescription()
        description.name = "models/fake"
        (description.width, description.height, description.sizeMultiple) = (8, 8, 8)
        var model = ServedModel(
            description: description, sampler: SamplerDefaults(), numerics: "fake",
            identity: "fake")
        model.sourceBytes = FakeExecutor.sourceBytes
        engine = try ServingEngine(
            lanes: lanes, counters: counters, models: [model], registry: SolverRegistry(),
            solvers: [],
            backends: [], limits: limits,
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

    /// Takes a step of every lane.
    func step() {
        for worker in workers { worker.step() }
    }

    /// Takes steps of the lanes, and lets others run, until the task is done.
    func finish<Value: Sendable>(_ task: Task<Value, any Error>) async throws -> Value {
        let watcher = Task { _ = await task.result }
        let done = Flag()
        let end = Task {
            await watcher.value
            done.set()
        }
        while !done.isSet {
            step()
            await Task.yield()
        }
        await end.value
        return try await task.value
    }

    /// Takes steps of the lanes, and lets others run, until something holds.
    func until(_ condition: () -> Bool) async {
        while !condition() {
            step()
            await Task.yield()
        }
    }

    /// Lets others run, without the lanes, until something holds.
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

    /// What callers give back with the end of their requests; sessions stay.
    private var held: [Resource] { [.streams, .queuedFrames, .deviceTime, .conditioningBytes] }

    /// Whether anything is held anywhere.
    func isEmpty() -> Bool {
        step()
        return lanes.allSatisfy { $0.count == 0 } && executors.allSatisfy { $0.live == 0 }
            && workers.allSatisfy { $0.holdingCount == 0 && $0.resultCount == 0 }
            && engine.leases == 0 && engine.statistics.openStreams == 0
            && held.allSatisfy { engine.accounts.total[$0] == 0 }
    }
}
