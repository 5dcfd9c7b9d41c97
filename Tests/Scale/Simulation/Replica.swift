import PosedScheduling

/// One replica: the daemon's own scheduler, and a device that does what it says.
struct Replica {
    typealias Table = Scheduler<Int, Moment>

    /// Who waits for a job.
    enum Purpose {
        /// The encoding of a session's source.
        case source(Int)
        /// A frame of a session's stream, and when its pose came from the client.
        case frame(Int, due: Moment)
    }

    /// Encoded sources that a replica keeps: at 2 MB each, half a gigabyte.
    static let kept = 256

    private(set) var table = Table()
    private(set) var jobs: [JobID: Purpose] = [:]
    private var left: [JobID: Int] = [:]
    /// The encoded sources, and when each was used last.
    private var sources: [Int: Moment] = [:]
    /// The step that the device carries out.
    private(set) var step: Decision<Moment>?
    var isUp = true
    /// Counts deaths: what the device did before one is gone.
    private(set) var life = 0
    /// Sessions whose stream is here.
    var streams: Set<Int> = []

    init() { start() }

    /// Frames and sources in the table.
    var backlog: Int { table.count }

    /// As after loading: empty, with costs known.
    private mutating func start() {
        var limits = SchedulerLimits()
        // As on CPUs, where rows in company are no faster.
        limits.batchRows = 2
        limits.economicalRows = 1
        table = Table(limits: limits)
        for stage in Stage.allCases {
            table.learn(stage, of: 0, .seconds(Self.seconds(stage)))
        }
        for rows in 1...limits.batchRows {
            table.learn(
                evaluationOf: rows, of: 0, .seconds(ServiceTimes.evaluation * Double(rows)))
        }
    }

    /// The replica dies, and takes all with it.
    mutating func die() {
        isUp = false
        life += 1
        jobs = [:]
        left = [:]
        sources = [:]
        step = nil
        streams = []
        start()
    }

    /// Whether the session's source is encoded here; that counts as a use of it.
    mutating func uses(_ session: Int, now: Moment) -> Bool {
        guard sources[session] != nil else { return false }
        sources[session] = now
        return true
    }

    private mutating func keep(_ session: Int, now: Moment) {
        sources[session] = now
        guard sources.count > Self.kept,
            let oldest = sources.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })
        else { return }
        sources[oldest.key] = nil
    }

    /// Takes a job.
    mutating func admit(_ purpose: Purpose, now: Moment) {
        let job: Table.Job
        switch purpose {
        case .source(let session):
            job = Table.Job(
                owner: "s\(session)", form: 0, stages: [.source], rows: 0, evaluations: 0,
                received: now)
        case .frame(let session, _):
            job = Table.Job(
                owner: "s\(session)", form: 0, stages: [.pose], rows: 1,
                evaluations: ServiceTimes.evaluations, received: now,
                link: Table.Job.Link(stream: UInt64(session)))
        }
        jobs[table.admit(job).id] = purpose
    }

    /// Takes out the frames of a session that were not begun, oldest first.
    mutating func withdraw(_ session: Int) -> [Moment] {
        var dues: [Moment] = []
        for id in jobs.keys.sorted() where left[id] == nil {
            guard case .frame(session, let due) = jobs[id], !isInHand(id) else { continue }
            table.remove(id)
            jobs[id] = nil
            dues.append(due)
        }
        return dues
    }

    private func isInHand(_ id: JobID) -> Bool {
        if case .stage(_, id) = step { return true }
        return false
    }

    /// Begins the next step, if there is one.
    ///
    /// - Returns: How long it takes.
    mutating func begin(now: Moment, _ chance: inout Chance) -> Double? {
        let decision = table.next(now: now).decision
        let pace = 1 + ServiceTimes.spread * (2 * chance.uniform() - 1)
        switch decision {
        case .idle:
            step = nil
            return nil
        case .stage(let stage, let id):
            if stage == .pose { left[id] = ServiceTimes.evaluations }
            step = decision
            return Self.seconds(stage) * pace
        case .evaluate(let ids):
            step = decision
            return ServiceTimes.evaluation * Double(ids.count) * pace
        }
    }

    /// The step has ended.
    ///
    /// - Returns: What became ready.
    mutating func finish(after cost: Double, now: Moment) -> Purpose? {
        defer { step = nil }
        switch step {
        case .stage(let stage, let id): return finish(stage, id, .seconds(cost), now: now)
        case .evaluate(let ids):
            table.evaluated(ids, rows: ids.count, form: 0, cost: .seconds(cost))
            for id in ids {
                left[id, default: 1] -= 1
                if left[id] == 0 { table.solved(id) }
            }
            return nil
        case .idle, nil: return nil
        }
    }

    private mutating func finish(
        _ stage: Stage, _ id: JobID, _ cost: Duration, now: Moment
    ) -> Purpose? {
        let next: Demand?
        switch stage {
        case .pose: next = .stage(.begin)
        case .begin:
            next = .evaluation
            table.begins(id, evaluations: ServiceTimes.evaluations)
        case .source, .decode: next = nil
        }
        table.finished(stage, of: id, form: 0, cost: cost, next: next)
        guard next == nil else { return nil }
        table.remove(id)
        left[id] = nil
        let purpose = jobs.removeValue(forKey: id)
        if case .source(let session) = purpose { keep(session, now: now) }
        return purpose
    }

    private static func seconds(_ stage: Stage) -> Double {
        switch stage {
        case .source: ServiceTimes.source
        case .pose: ServiceTimes.pose
        // Counted with the evaluations.
        case .begin: 0
        case .decode: ServiceTimes.decode
        }
    }
}
