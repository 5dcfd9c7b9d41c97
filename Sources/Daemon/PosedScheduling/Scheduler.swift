import OrderedCollections

/// Decides what one machine does next for all that wait: which stage of which job, or which evaluations
/// together. It performs nothing and knows no clock; whoever performs tells it what was done and what
/// time it is.
///
/// `docs/serving.md` states the policy.
package struct Scheduler<Form: Hashable & Sendable, Instant: InstantProtocol & Sendable>: Sendable
where Instant.Duration == Duration {
    package typealias Job = PosedScheduling.Job<Form, Instant>

    /// A job in the table.
    struct Entry: Sendable {
        let job: Job
        var demand: Demand
        /// Stages to come before the solve.
        var stages: [Stage]
        /// Evaluations to come.
        var left: Int
        /// Whether any work was done.
        var hasBegun = false
        /// Whether its solve holds memory.
        var isSolving = false
        var span: FairShare.Span
        /// What its place in the order was reckoned with, and what it has cost so far, in seconds.
        let reckoned: Double
        var spent = 0.0
    }

    /// How much it takes on. May change at any time; what is in the table stays.
    package var limits: SchedulerLimits
    /// What work costs.
    package internal(set) var costs = CostModel<Form>()
    var entries: OrderedDictionary<JobID, Entry> = [:]
    var shares = FairShare()
    private var admitted: UInt64 = 0

    /// An empty table.
    package init(limits: SchedulerLimits = SchedulerLimits()) { self.limits = limits }

    /// Jobs in the table.
    package var count: Int { entries.count }

    /// Those that no work was begun for.
    package var waiting: Int { entries.values.count { !$0.hasBegun } }

    /// Solves in progress.
    package var solving: Int { entries.values.count { $0.isSolving } }

    /// Whether the job is in the table.
    package func contains(_ id: JobID) -> Bool { entries[id] != nil }

    /// Takes a job.
    ///
    /// - Returns: Its name, and the job of its stream that it supersedes at once, if too many of them wait.
    package mutating func admit(_ job: Job) -> (id: JobID, dropped: Dropped?) {
        let id = JobID(admitted)
        let waiting = job.link.map { link in
            entries.values.count { !$0.hasBegun && $0.job.link?.stream == link.stream }
        }
        let dropped = (waiting ?? 0) >= limits.queuedPerStream ? supersede(in: job.link) : nil
        admitted += 1
        let cost = reckon(job)
        let demand = job.stages.first.map(Demand.stage) ?? .stage(job.rows > 0 ? .begin : .decode)
        entries[id] = Entry(
            job: job, demand: demand, stages: job.stages, left: job.evaluations,
            span: shares.place(job.owner, cost: cost), reckoned: cost)
        return (id, dropped)
    }

    /// Takes a job out: it is done, or nobody wants it any more. Unknown jobs are ignored.
    package mutating func remove(_ id: JobID) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        shares.correct(entry.job.owner, by: entry.spent - entry.reckoned)
        shares.advance(to: entries.values.map(\.span.start).min())
    }

    /// Supersedes the oldest job of a stream that was not begun, by the job that is admitted next.
    ///
    /// - Returns: The job, which has left the table; nil where the stream does not supersede or has none.
    package mutating func supersede(in link: Job.Link?) -> Dropped? {
        guard let link, link.maxLag != nil,
            let oldest = entries.first(where: {
                !$0.value.hasBegun && $0.value.job.link?.stream == link.stream
            })?.key
        else { return nil }
        remove(oldest)
        return Dropped(id: oldest, reason: .superseded(by: JobID(admitted)))
    }

    /// What a job will cost, in seconds of the machine, and the longest step of it.
    package func predict(_ job: Job) -> (total: Double, step: Duration) {
        let stages = job.stages + (job.rows > 0 ? [.begin, .decode] : [])
        let steps = stages.map { costs.cost(of: $0, job.form) ?? .zero }
        let evaluation = job.rows > 0 ? costs.cost(evaluationOf: job.rows, job.form) : nil
        return (reckon(job), max(steps.max() ?? .zero, evaluation ?? .zero))
    }

    /// Whether a job may be worked on now.
    func isRunnable(_ id: JobID, _ entry: Entry) -> Bool {
        guard let link = entry.job.link else { return true }
        if !entry.hasBegun, link.isHeld() { return false }
        guard link.isSequential || link.maxLag != nil else { return true }
        return !entries.contains { $0.key < id && $0.value.job.link?.stream == link.stream }
    }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double { self / .seconds(1) }
}
