import PosedErrors
import PosedGuarded
import PosedScheduling
import PosedSessions
import PosedVision
import Synchronization

/// A stream while it is served: its poses and answers in order, and the lanes that make the frames.
final class LiveStream: Sendable {
    /// What holds for all its frames.
    struct Terms: Sendable {
        let options: StreamOptions
        let owner: String
        let subject: FrameSubject
        /// What is done to the poses, in their order, before they are drawn.
        let track: PoseTrack
        /// The stream's settings, the seed drawn.
        let base: FrameSettings
        let resolved: ResolvedFrame
        let source: ServingEngine.Source
        let number: UInt64
        /// Frames that are under way, or made and not taken.
        let window: Int
    }

    private struct State {
        var queue = StreamQueue()
        /// The task that delivers answers, while there is none.
        var reader: CheckedContinuation<Void, Never>?
        /// The task that takes poses, while there is no room.
        var writer: CheckedContinuation<Void, Never>?
    }

    /// Whether no pose is to be begun, for the scheduler to ask.
    private final class Brake: Sendable {
        private let value = Atomic(false)

        var isOn: Bool { value.load(ordering: .acquiring) }

        /// Sets it, and returns what it was.
        func set(_ isOn: Bool) -> Bool { value.exchange(isOn, ordering: .acquiringAndReleasing) }
    }

    /// So many times the window may poses of a stream that supersedes await that their answers are taken; most of
    /// those were superseded and hold next to nothing.
    private static let answersPerFrame = 16

    private let engine: ServingEngine
    private let terms: Terms
    private let brake = Brake()
    /// Whether a frame was made.
    private let hasFrames = Atomic(false)
    private let track: Guarded<PoseTrack>
    private let state = Guarded(State())

    init(_ engine: ServingEngine, _ terms: Terms) {
        self.engine = engine
        self.terms = terms
        track = Guarded(terms.track)
        engine.counters.streams(1)
    }

    /// Takes poses until there are no more.
    ///
    /// - Throws: `CancellationError`, and what the poses throw.
    func take<Poses: AsyncSequence>(_ poses: Poses) async throws
    where Poses.Element == StreamPose {
        var poses = poses.makeAsyncIterator()
        while true {
            try await wait(\.writer) { [limit] in $0.count < limit }
            guard let pose = try await poses.next() else { break }
            await submit(pose)
        }
        change { $0.finish() }
    }

    /// Delivers the answers, in the order of the poses, until there are no more.
    ///
    /// - Throws: `CancellationError`, and what `send` throws.
    func deliver(_ send: (StreamAnswer) async throws -> Void) async throws {
        while true {
            try await wait(\.reader) { $0.hasAnswer || $0.isOver }
            guard let answer = change({ $0.take() }) else { return }
            try await send(answer)
        }
    }

    /// Ends the stream, whatever is under way, and gives back what it holds.
    func close() {
        for job in change({ $0.cancel() }) { engine.lanePool.cancel(job, with: .cancelled) }
        engine.lanePool.close(stream: terms.number)
        engine.counters.streams(-1)
        terms.source.reference.release()
        terms.subject.lease?.release()
    }

    // MARK: Poses

    private var supersedes: Bool { terms.options.maxLag != nil }

    /// Poses at a time that have no answer, or one that was not taken.
    private var limit: Int { terms.window * (supersedes ? Self.answersPerFrame : 1) }

    private func submit(_ pose: StreamPose) async {
        let received = engine.lanePool.now
        guard let (place, content) = change({ $0.open(pose) }) else { return }
        do {
            let (job, source) = try await job(content, received: received)
            let format = content.settings.over(terms.base).format ?? .png
            let id = try engine.lanePool[job.job.form].submit(
                LaneJob(
                    job.job, job.work, account: engine.account(of: terms.owner),
                    sequence: pose.sequence ?? 0
                ) { [self] outcome in
                    // The source is in use until here.
                    withExtendedLifetime(source) {
                        let answer = answer(outcome, job.job, format, readTime: pose.readTime)
                        change { $0.answer(place, answer) }
                    }
                })
            note(PlacedJob(lane: job.job.form.lane, id: id), place)
        } catch {
            change { $0.answer(place, .failed(RequestError(error))) }
        }
    }

    private func job(
        _ pose: StreamPose.Content, received: ContinuousClock.Instant
    ) async throws -> (
        job: (job: LaneScheduler.Job, work: LaneJob.Work), source: ServingEngine.Source
    ) {
        if terms.subject.lease?.isRevoked == true {
            throw RequestError(
                .notFound, "\(terms.options.session) was deleted", at: "session")
        }
        var drawn = try track.withLock { try $0.next(pose.pose) }
        var resolved = terms.resolved
        var source = terms.source
        if pose.settings != FrameSettings() {
            resolved = try engine.resolver.resolve(
                pose.settings.over(terms.base), model: terms.subject.model,
                warmStart: terms.options.warmStart)
            resolved.form.lane = terms.resolved.form.lane
        }
        // A stream keeps its lane as long as that works.
        if engine.lanePool.isLost(resolved.form.lane) {
            resolved.form = engine.place(resolved.form, of: terms.subject)
        }
        if resolved.form != terms.resolved.form {
            try engine.checkCost(resolved)
            source = try await engine.conditioning(
                of: terms.subject, resolved.form, owner: terms.owner, due: nil)
        }
        if terms.options.retargetTo != nil {
            drawn = try engine.seen(drawn, of: terms.subject, resolved.form)
        }
        var draft = ServingEngine.FrameDraft(
            resolved, pose: drawn, owner: terms.owner, received: received)
        draft.due = terms.options.frameDeadline.map { received.advanced(by: $0) }
        draft.warmStart = terms.options.warmStart
        draft.link = LaneScheduler.Job.Link(
            stream: terms.number, maxLag: terms.options.maxLag,
            isSequential: terms.options.warmStart > 0, isHeld: { [brake] in brake.isOn })
        return (await engine.prepare(draft, source), source)
    }

    private func note(_ job: PlacedJob, _ place: StreamQueue.Place) {
        let isCancelled = change { queue in
            queue.note(job, for: place)
            return queue.isCancelled
        }
        if isCancelled { engine.lanePool.cancel(job, with: .cancelled) }
    }

    private func answer(
        _ outcome: LaneOutcome, _ job: LaneScheduler.Job, _ format: PictureFormat,
        readTime: Duration
    ) -> StreamAnswer.Outcome {
        switch outcome {
        case .frame(var frame):
            let isFirst = !hasFrames.exchange(true, ordering: .acquiringAndReleasing)
            engine.count(
                frame, of: terms.owner, due: job.due, received: job.received,
                lease: terms.subject.lease, isFirst: isFirst)
            frame.timings.pose += readTime
            frame.timings.total += readTime
            return .frame(frame, format)
        case .superseded(let later, let waited): return .superseded(by: later, waited: waited)
        case .failed(let error): return .failed(error)
        case .conditioning:
            return .failed(RequestError(.internal, "a frame came to something else"))
        }
    }

    // MARK: Waiting

    /// Changes the queue, and does what follows from it: whoever waits for an answer or for room goes on, and no
    /// frame is begun while too many wait to be taken.
    @discardableResult
    private func change<Value>(_ body: (inout StreamQueue) -> sending Value) -> sending Value {
        let (value, woken, isReleased) = state.withLock { state in
            let value = body(&state.queue)
            let isOver = state.queue.isOver
            var woken: [CheckedContinuation<Void, Never>?] = []
            if state.queue.hasAnswer || isOver {
                woken.append(state.reader)
                state.reader = nil
            }
            if state.queue.count < limit || isOver {
                woken.append(state.writer)
                state.writer = nil
            }
            // Set under the lock: the scheduler never sees an older word than the queue's last.
            let isHeld = supersedes && !isOver && state.queue.unreadFrames >= terms.window
            let wasHeld = brake.set(isHeld)
            return (value, woken, wasHeld && !isHeld)
        }
        for continuation in woken { continuation?.resume() }
        if isReleased { engine.lanePool.wake() }
        return value
    }

    /// Waits until something holds of the queue, or the stream is closed.
    ///
    /// - Parameter waiter: where the task waits; one task at a time.
    /// - Throws: `CancellationError`.
    private func wait(
        _ waiter: any WritableKeyPath<State, CheckedContinuation<Void, Never>?> & Sendable,
        until holds: @Sendable (StreamQueue) -> Bool
    ) async throws {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if holds(state.queue) || state.queue.isCancelled || Task.isCancelled {
                        return true
                    }
                    state[keyPath: waiter] = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                defer { state[keyPath: waiter] = nil }
                return state[keyPath: waiter]
            }
            continuation?.resume()
        }
        try Task.checkCancellation()
    }
}
