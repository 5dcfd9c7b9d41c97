import PosedAccounts
package import PosedErrors
import PosedGuarded
package import PosedScheduling

/// The one place where a machine's work is done: jobs come in from any thread, and one thread takes
/// step after step.
///
/// The scheduler decides under a lock that is held for microseconds; the work is done outside of it. A
/// job that is cancelled answers at once, and what it holds on the device is given back before the next
/// step.
package final class Lane: Sendable {
    /// What callers and the lane's thread share.
    struct State {
        var scheduler: LaneScheduler
        var jobs: [JobID: LaneJob] = [:]
        /// Jobs that left while the lane's thread may have held something for them.
        var gone: [JobID] = []
        /// Streams that ended.
        var closedStreams: [UInt64] = []
        /// What is to be done when there is nothing else to do, and by when at the latest.
        var errands: [(due: ContinuousClock.Instant, body: Errand)] = []
        var isStopped = false
    }

    /// Something for the executor that no job waits for. It must not take long.
    package typealias Errand = @Sendable (any LaneExecutor) -> Void

    /// How long an errand is put off while there are jobs.
    private static let errandDelay = Duration.seconds(1)

    let state: Guarded<State>
    let wakeSignal = WakeSignal()
    let deviceLoss = DeviceLoss()
    let metrics: any ServingMetrics
    let clock: @Sendable () -> ContinuousClock.Instant
    private let beat: Guarded<ContinuousClock.Instant>

    /// A lane without a thread: somebody takes its steps.
    ///
    /// - Parameter clock: tells the time.
    package init(
        limits: SchedulerLimits = SchedulerLimits(), metrics: any ServingMetrics = NoMetrics(),
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        state = Guarded(State(scheduler: LaneScheduler(limits: limits)))
        beat = Guarded(clock())
        self.metrics = metrics
        self.clock = clock
    }

    /// When the lane's thread last began a step.
    package var heartbeat: ContinuousClock.Instant { beat.withLock { $0 } }

    /// How much it takes on. New limits hold from the next job and the next step on.
    package var limits: SchedulerLimits {
        get { state.withLock { $0.scheduler.limits } }
        set {
            state.withLock { $0.scheduler.limits = newValue }
            wakeSignal.ring()
        }
    }

    /// Jobs that no work was begun for.
    package var waiting: Int { state.withLock { $0.scheduler.waiting } }

    /// Jobs in all.
    package var count: Int { state.withLock { $0.scheduler.count } }

    /// Takes a job, and from its caller's account the place of a frame and the time that it is predicted to take.
    ///
    /// A pose of a stream that supersedes takes the place of the stream's oldest where there is no other.
    ///
    /// - Returns: Its name.
    /// - Throws: `resourceExhausted` or `unavailable`; then its completion is not called.
    package func submit(_ job: LaneJob) throws(RequestError) -> JobID {
        var job = job
        var refusal: RequestError?
        do throws(RequestError) {
            if let account = job.account {
                let time = Int(predict(job.job).total / .milliseconds(1))
                job.holds = [
                    try account.take(.queuedFrames), try account.take(.deviceTime, time),
                ]
            }
        } catch {
            refusal = error
        }
        let (id, superseded) = try state.withLock {
            state throws(RequestError) -> (JobID, [(LaneJob, LaneOutcome)]) in
            guard !state.isStopped else { throw .stopped }
            var dropped: [Dropped] = []
            if let refusal {
                guard let oldest = state.scheduler.supersede(in: job.job.link) else {
                    throw refusal
                }
                job.holds = state.jobs[oldest.id]?.holds ?? []
                state.jobs[oldest.id]?.holds = []
                dropped.append(oldest)
            }
            let admitted = state.scheduler.admit(job.job)
            state.jobs[admitted.id] = job
            if let also = admitted.dropped { dropped.append(also) }
            return (admitted.id, dropped.compactMap { Lane.outcome(of: $0, &state, clock()) })
        }
        for (job, outcome) in superseded { report(job, outcome) }
        wakeSignal.ring()
        return id
    }

    /// Stops a job: its completion is called with this error, unless it was called before.
    package func cancel(_ id: JobID, with error: RequestError) {
        let job = state.withLock { $0.take(id) }
        guard let job else { return }
        wakeSignal.ring()
        report(job, .failed(error))
    }

    /// Has the thread look again for what is to be done: poses of a stream are no longer held back.
    package func wake() { wakeSignal.ring() }

    /// Has something done by the lane's thread when it has nothing else to do, or in a second.
    package func later(_ errand: @escaping Errand) {
        let due = clock() + Self.errandDelay
        state.withLock { $0.errands.append((due, errand)) }
        wakeSignal.ring()
    }

    /// Forgets a stream.
    package func close(stream: UInt64) {
        state.withLock { $0.closedStreams.append(stream) }
        wakeSignal.ring()
    }

    /// What a job is predicted to take of the device's time, and its longest step. What nobody has measured,
    /// nor anything like it, counts as next to nothing.
    package func predict(_ job: LaneScheduler.Job) -> (total: Duration, step: Duration) {
        let (total, step) = state.withLock { $0.scheduler.predict(job) }
        return (.seconds(total), step)
    }

    /// Notes that the lane's thread is alive.
    func noteBeat() {
        let now = clock()
        beat.withLock { $0 = now }
    }

    /// Calls a job's completion, and says so to whoever watches.
    func report(_ job: LaneJob, _ outcome: LaneOutcome) {
        if case .frame = job.work {
            let (owner, total) = (job.job.owner, job.job.received.duration(to: clock()))
            switch outcome {
            case .conditioning: break
            case .frame(let frame):
                metrics.frame(
                    of: owner, outcome: "completed", total: total, queue: frame.timings.queue)
            case .superseded(_, let waited):
                metrics.frame(of: owner, outcome: "superseded", total: total, queue: waited)
            case .failed(let error):
                metrics.frame(of: owner, outcome: error.outcome, total: total, queue: .zero)
            }
        }
        for hold in job.holds { hold.release() }
        job.completion(outcome)
    }

    /// What a job is told that the scheduler dropped, and the job, which leaves the table.
    static func outcome(
        of dropped: Dropped, _ state: inout State, _ now: ContinuousClock.Instant
    ) -> (LaneJob, LaneOutcome)? {
        guard let job = state.take(dropped.id) else { return nil }
        let waited = job.job.received.duration(to: now)
        switch dropped.reason {
        case .superseded(let later):
            let sequence = state.jobs[later]?.sequence ?? job.sequence
            return (job, .superseded(by: sequence, waited: waited))
        case .expired:
            let error = RequestError(
                .deadlineExceeded,
                "the deadline passed \(waited) after the request came, before the end")
            return (job, .failed(error))
        }
    }
}

extension Lane.State {
    /// The errand whose time has come.
    mutating func takeErrand(isIdle: Bool, _ now: ContinuousClock.Instant) -> Lane.Errand? {
        guard let first = errands.first, isIdle || first.due <= now else { return nil }
        return errands.removeFirst().body
    }

    /// Takes a job out of the table and of the scheduler.
    mutating func take(_ id: JobID) -> LaneJob? {
        guard let job = jobs.removeValue(forKey: id) else { return nil }
        scheduler.remove(id)
        gone.append(id)
        return job
    }
}
