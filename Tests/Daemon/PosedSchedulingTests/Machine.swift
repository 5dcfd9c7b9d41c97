import PosedScheduling

/// A machine that does what the scheduler says, on a clock of its own, at costs that a test gives it.
struct Machine {
    typealias Job = PosedScheduling.Job<String, TestInstant>

    /// Something that happened.
    enum Event: Hashable {
        case stage(Stage, JobID)
        case evaluated([JobID])
        case finished(JobID)
        case dropped(Dropped)
        case idle(TestInstant?)
    }

    var scheduler: Scheduler<String, TestInstant>
    var now = TestInstant()
    var events: [Event] = []
    /// Milliseconds.
    var stageCosts: [Stage: Int] = [.source: 8, .pose: 4, .begin: 1, .decode: 6]
    /// Milliseconds of an evaluation by rows.
    var evaluationCost: (Int) -> Int = { 2 + $0 }
    /// What each job still has to do; a job that is not here anew is unknown.
    private(set) var left: [JobID: Int] = [:]
    private(set) var jobs: [JobID: Job] = [:]
    /// How many evaluations each solve was begun with.
    private(set) var begun: [JobID: Int] = [:]
    /// Milliseconds that each owner's jobs took.
    private(set) var served: [String: Int] = [:]

    init(_ limits: SchedulerLimits = SchedulerLimits()) { scheduler = Scheduler(limits: limits) }

    /// A frame that needs its pose encoded.
    func frame(
        _ owner: String = "a", form: String = "m", rows: Int = 2, evaluations: Int = 4,
        least: Int? = nil, due: Int? = nil, expiry: Int? = nil, link: Job.Link? = nil
    ) -> Job {
        Job(
            owner: owner, form: form, stages: [.pose], rows: rows, evaluations: evaluations,
            leastEvaluations: least, received: now,
            due: due.map { now.advanced(by: .milliseconds($0)) },
            expiry: expiry.map { now.advanced(by: .milliseconds($0)) }, link: link)
    }

    /// The encoding of a source alone.
    func source(_ owner: String = "a") -> Job {
        Job(owner: owner, form: "m", stages: [.source], rows: 0, evaluations: 0, received: now)
    }

    @discardableResult
    mutating func admit(_ job: Job) throws -> JobID {
        let (id, dropped) = scheduler.admit(job)
        jobs[id] = job
        if let dropped { note(dropped) }
        return id
    }

    /// Lets the machine know all costs beforehand.
    mutating func learnCosts(form: String = "m") {
        for (stage, cost) in stageCosts { scheduler.learn(stage, of: form, .milliseconds(cost)) }
        for rows in 1...16 {
            scheduler.learn(
                evaluationOf: rows, of: form, .milliseconds(evaluationCost(rows)))
        }
    }

    /// One decision, carried out. Returns false when there was nothing to do.
    @discardableResult
    mutating func step() -> Bool {
        let (decision, dropped) = scheduler.next(now: now)
        dropped.forEach { note($0) }
        switch decision {
        case .idle(let until):
            events.append(.idle(until))
            return false
        case .stage(let stage, let id): perform(stage, id)
        case .evaluate(let ids): evaluate(ids)
        }
        return true
    }

    /// Steps until there is nothing to do.
    mutating func run(atMost steps: Int = 10_000) {
        for _ in 0..<steps where !step() { return }
    }

    /// Takes a job out.
    mutating func cancel(_ id: JobID) {
        scheduler.remove(id)
        left[id] = nil
    }

    /// Jobs in the order in which they were finished.
    var finished: [JobID] {
        events.compactMap { if case .finished(let id) = $0 { id } else { nil } }
    }

    /// What was dropped.
    var drops: [Dropped] {
        events.compactMap { if case .dropped(let drop) = $0 { drop } else { nil } }
    }

    /// Rows of the batches so far.
    var batches: [Int] {
        events.compactMap { event in
            guard case .evaluated(let ids) = event else { return nil }
            return ids.reduce(0) { $0 + (jobs[$1]?.rows ?? 0) }
        }
    }

    private mutating func note(_ drop: Dropped) {
        left[drop.id] = nil
        events.append(.dropped(drop))
    }

    private mutating func perform(_ stage: Stage, _ id: JobID) {
        guard let job = jobs[id] else { return }
        let cost = stageCosts[stage] ?? 0
        if stage == .begin {
            left[id] = scheduler.affordableEvaluations(id, now: now)
            begun[id] = left[id]
            scheduler.begins(id, evaluations: left[id] ?? 0)
        }
        now = now.advanced(by: .milliseconds(cost))
        served[job.owner, default: 0] += cost
        events.append(.stage(stage, id))
        let next: Demand? =
            switch stage {
            case .source: nil
            case .pose: .stage(.begin)
            case .begin: .evaluation
            case .decode: nil
            }
        scheduler.finished(stage, of: id, form: job.form, cost: .milliseconds(cost), next: next)
        if next == nil {
            scheduler.remove(id)
            left[id] = nil
            events.append(.finished(id))
        }
    }

    private mutating func evaluate(_ ids: [JobID]) {
        let rows = ids.reduce(0) { $0 + (jobs[$1]?.rows ?? 0) }
        let cost = evaluationCost(rows)
        now = now.advanced(by: .milliseconds(cost))
        events.append(.evaluated(ids))
        scheduler.evaluated(
            ids, rows: rows, form: ids.first.flatMap { jobs[$0]?.form } ?? "",
            cost: .milliseconds(cost))
        for id in ids {
            left[id, default: 0] -= 1
            if let job = jobs[id] { served[job.owner, default: 0] += cost * job.rows / rows }
            if left[id] == 0 { scheduler.solved(id) }
        }
    }
}
