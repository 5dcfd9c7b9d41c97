import PosedBackend
import PosedGuarded
import PosedPipeline
import PosedServing
import PosedSolvers
import PosedTensor
import PosedVision

/// An executor without a device: it counts what it holds, takes time on a clock of its own, and lets a
/// test interfere at every call.
final class FakeExecutor: LaneExecutor {
    /// What was encoded: the shade of a picture, or a pose's first joint.
    struct Encoded: Conditioning {
        let text: String
        let byteCount = FakeExecutor.sourceBytes
    }

    /// Bytes of whatever was encoded.
    static let sourceBytes = 100

    /// A solve that counts.
    final class FakeSolve: LaneSolve {
        let text: String
        let plannedEvaluations: Int
        let start: Double
        var evaluations = 0
        var isFinished: Bool { evaluations >= plannedEvaluations }

        init(_ text: String, planned: Int, start: Double) {
            self.text = text
            plannedEvaluations = planned
            self.start = start
        }
    }

    /// A call, as tests see it.
    enum Call: Equatable, Sendable {
        case source
        case pose
        case begin(String)
        case evaluate([String])
        case decode(String)
        case end(String)
    }

    /// Something that goes wrong.
    struct Fault: Error {}

    let clock: TestClock
    /// Milliseconds that each call takes.
    var cost = 10
    /// Called at the beginning of each call but `end` with its number and itself; may throw.
    var interfere: (Int, Call) throws -> Void = { _, _ in }
    /// Solves of these texts fail in evaluations.
    var bad: Set<String> = []
    private(set) var calls: [Call] = []
    /// Solves that were begun and not ended.
    private(set) var live = 0

    init(_ clock: TestClock) { self.clock = clock }

    /// Calls that worked, `end` left out.
    private func work(_ call: Call) throws {
        let number = calls.count { if case .end = $0 { false } else { true } }
        calls.append(call)
        try interfere(number, call)
        clock.advance(.milliseconds(cost))
    }

    func source(_ pictures: [Image], _ form: LaneForm) throws -> any Conditioning {
        try work(.source)
        return Encoded(text: "\(pictures[0].bytes[0])")
    }

    func save(_ source: any Conditioning, _ form: LaneForm) throws -> [HostTensor?] {
        let text = Array(((source as? Encoded)?.text ?? "?").utf8)
        return [HostTensor(dtype: .u8, shape: [text.count], bytes: text)]
    }

    func restore(_ saved: [HostTensor?], _ form: LaneForm) throws -> any Conditioning {
        Encoded(text: String(decoding: saved.first??.bytes ?? [], as: UTF8.self))
    }

    func pose(_ pose: PoseInput, _ form: LaneForm) throws -> any Conditioning {
        try work(.pose)
        return Encoded(text: FakeExecutor.name(pose))
    }

    func begin(
        _ plan: SolvePlan, source: any Conditioning, pose: any Conditioning, _ form: LaneForm
    ) throws -> any LaneSolve {
        let text = [source, pose].map { ($0 as? Encoded)?.text ?? "?" }.joined(separator: "/")
        try work(.begin(text))
        let isWarm = plan.warmStart > 0 && plan.previous != nil
        live += 1
        return FakeSolve(
            text,
            planned: try SolverPlan(
                plan.tableau, budget: plan.settings.budget,
                lastStepFirstOrder: plan.settings.lastStepFirstOrder
            ).evaluations, start: isWarm ? plan.warmStart : 0)
    }

    func evaluate(_ solves: [any LaneSolve], _ form: LaneForm) throws -> [(any Error)?] {
        let solves = solves.compactMap { $0 as? FakeSolve }
        try work(.evaluate(solves.map(\.text)))
        if solves.count > 1, solves.contains(where: { bad.contains($0.text) }) { throw Fault() }
        return solves.map { solve in
            if bad.contains(solve.text) { return Fault() }
            solve.evaluations += 1
            return nil
        }
    }

    func decode(_ solve: any LaneSolve, _ form: LaneForm) throws -> Image {
        let text = (solve as? FakeSolve)?.text ?? "?"
        try work(.decode(text))
        return try Image(
            width: form.width, height: form.height,
            filledWith: RGB(UInt8(truncatingIfNeeded: text.utf8.reduce(0) { $0 + Int($1) }), 0, 0))
    }

    func result(of solve: any LaneSolve, _ form: LaneForm) -> (any Conditioning)? {
        Encoded(text: "latent")
    }

    func tidy(now: ContinuousClock.Instant) -> Duration? { nil }

    func end(_ solve: any LaneSolve, _ form: LaneForm) {
        calls.append(.end((solve as? FakeSolve)?.text ?? "?"))
        live -= 1
    }

    /// A pose's first coordinate, which tests tell poses by.
    static func name(_ pose: PoseInput) -> String {
        switch pose {
        case .keypoints(let keypoints): "p\(Int(keypoints.points[0].x))"
        case .picture: "picture"
        }
    }
}

/// A clock that stands still until somebody moves it.
final class TestClock: Sendable {
    private let time = Guarded(ContinuousClock.now)

    var now: ContinuousClock.Instant { time.withLock { $0 } }

    func advance(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
}
