import PosedAccounts
import PosedErrors
import PosedGuarded
import PosedPipeline
import PosedScheduling
import PosedServing
import PosedSolvers
import PosedVision

/// A lane whose steps a test takes by hand, with an executor without a device.
final class LaneBench {
    /// What jobs came to, by their place in the order of submission.
    final class Outcomes: Sendable {
        private let made = Guarded<[Int: [LaneOutcome]]>([:])

        func note(_ job: Int, _ outcome: LaneOutcome) {
            made.withLock { $0[job, default: []].append(outcome) }
        }

        /// Every job's outcomes, as words.
        subscript(job: Int) -> [String] {
            made.withLock { $0[job] ?? [] }.map { outcome in
                switch outcome {
                case .conditioning: "conditioning"
                case .frame(let frame): "frame \(frame.used.evaluations)"
                case .superseded(let by, _): "superseded by \(by)"
                case .failed(let error): "\(error.code)"
                }
            }
        }

        /// The frame that a job came to.
        func frame(_ job: Int) -> Frame? {
            made.withLock { made in
                if case .frame(let frame)? = made[job]?.first { frame } else { nil }
            }
        }
    }

    let clock = TestClock()
    let lane: Lane
    let executor: FakeExecutor
    let worker: LaneWorker
    let outcomes = Outcomes()
    let accounts = Accounts()
    let counters = ServingCounters(NoMetrics())
    private(set) var ids: [JobID] = []

    init(_ limits: SchedulerLimits = SchedulerLimits()) {
        let clock = clock
        lane = Lane(limits: limits, metrics: counters) { clock.now }
        executor = FakeExecutor(clock)
        worker = LaneWorker(lane, executor)
    }

    static let form = LaneForm(model: 0, width: 8, height: 8)

    /// Submits a frame whose solve is called by its number: `s/p0`, `s/p1`, …
    @discardableResult
    func frame(
        _ owner: String = "a", steps: Int = 2, expiry: Duration? = nil, due: Duration? = nil,
        least: Int? = nil, link: LaneScheduler.Job.Link? = nil, sequence: UInt64 = 0,
        warmStart: Double = 0
    ) throws -> Int {
        let number = ids.count
        let job = LaneScheduler.Job(
            owner: owner, form: Self.form, stages: [.pose], rows: 1, evaluations: steps,
            leastEvaluations: least, received: clock.now, due: due.map { clock.now + $0 },
            expiry: expiry.map { clock.now + $0 }, link: link)
        let points = (0..<18).map { Keypoint(x: Double(number + $0), y: Double($0 + 2)) }
        var work = FrameWork(
            source: FakeExecutor.Encoded(text: "s"), pose: .keypoints(try Keypoints(points)),
            settings: SamplingSettings(
                solver: "euler", budget: .steps(steps), guidance: 1, timeShift: 1, seed: 0),
            tableau: .euler)
        work.warmStart = warmStart
        return try submit(job, .frame(work), sequence: sequence)
    }

    /// Submits the encoding of a source.
    @discardableResult
    func source() throws -> Int {
        try submit(
            LaneScheduler.Job(
                owner: "a", form: Self.form, stages: [.source], rows: 0, evaluations: 0,
                received: clock.now),
            .source([try Image(width: 1, height: 1, bytes: [1, 2, 3])]))
    }

    /// Steps until there is nothing to do.
    func run() {
        for _ in 0..<10_000 where worker.step() != nil { return }
    }

    /// Cancels a job as its caller would.
    func cancel(_ number: Int) {
        lane.cancel(ids[number], with: RequestError(.cancelled, "cancelled"))
    }

    /// Whether anything is held anywhere; takes the step that clears up first.
    func isEmpty() -> Bool {
        worker.step()
        return lane.count == 0 && executor.live == 0 && worker.holdingCount == 0
    }

    private func submit(
        _ job: LaneScheduler.Job, _ work: LaneJob.Work, sequence: UInt64 = 0
    ) throws -> Int {
        let number = ids.count
        ids.append(JobID(.max))
        ids[number] = try lane.submit(
            LaneJob(
                job, work, account: accounts.account(of: .identity(job.owner)), sequence: sequence
            ) { [outcomes] in outcomes.note(number, $0) })
        return number
    }
}
