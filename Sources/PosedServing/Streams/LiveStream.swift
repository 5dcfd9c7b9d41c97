import PosedErrors
import PosedGuarded
import PosedScheduling
import PosedSessions
import PosedVision

/// A stream of the engine room's: a book of poses and answers, and the lanes that make the frames.
final class LiveStream: FrameStream {
    /// What holds for all its frames.
    struct Terms: Sendable {
        let options: StreamOptions
        let owner: String
        let subject: FrameSubject
        /// The stream's settings, the seed drawn.
        let base: FrameSettings
        let resolved: ResolvedFrame
        let source: ServingEngine.Source
        let number: UInt64
        let window: Int
    }

    private struct State {
        var book = StreamBook()
        var reader: CheckedContinuation<StreamEvent?, Never>?
        var writers: [CheckedContinuation<Void, Never>] = []
        var isHeld = false
        var isClosed = false
    }

    /// A stream that supersedes does not wait for its reader, but for this many answers.
    private static let answerLimit = 1024

    let settings: UsedSettings
    private let engine: ServingEngine
    private let terms: Terms
    private let state = Guarded(State())

    init(_ engine: ServingEngine, _ terms: Terms) {
        self.engine = engine
        self.terms = terms
        settings = terms.resolved.used
        engine.tally.streams(1)
    }

    deinit { cancel() }

    var events: AsyncStream<StreamEvent> {
        AsyncStream(unfolding: { await self.next() }, onCancel: { self.cancel() })
    }

    func submit(_ pose: StreamPose) async {
        let received = engine.fleet.now
        guard let ticket = await open(pose.sequence) else { return }
        do {
            try engine.gate.enter()
        } catch {
            return answer(ticket, .failed(error))
        }
        do {
            let (job, work, source) = try await job(pose, received: received)
            let id = try engine.fleet[job.form].submit(
                LaneJob(job, work, sequence: pose.sequence) { [self] outcome in
                    // The source is in use until here.
                    withExtendedLifetime(source) {
                        finish(ticket, outcome, received: received, due: job.due)
                    }
                    engine.gate.leave()
                })
            note(PlacedJob(lane: job.form.lane, id: id), ticket)
        } catch {
            engine.gate.leave()
            answer(ticket, .failed(RequestError(error)))
        }
    }

    func reject(sequence: UInt64, _ error: RequestError) async {
        guard let ticket = await open(sequence) else { return }
        answer(ticket, .failed(error))
    }

    func finish() {
        change { $0.book.finish() }
    }

    func cancel() {
        let jobs = state.withLock { $0.book.cancel() }
        for job in jobs { engine.fleet.cancel(job, with: .cancelled) }
        change { _ in }
    }

    // MARK: Poses

    private var supersedes: Bool { terms.options.maxLag != nil }

    /// Waits for room and opens a page; nil when the stream has ended, or the page has its answer.
    private func open(_ sequence: UInt64) async -> StreamBook.Ticket? {
        let limit = supersedes ? Self.answerLimit : terms.window
        while true {
            await room(for: limit)
            var ticket: StreamBook.Ticket?
            var hasRoom = false
            change { state in
                hasRoom = state.book.count < limit || state.book.isCancelled
                guard hasRoom, let opened = state.book.open(sequence) else { return }
                ticket = state.book.isAnswered(opened) ? nil : opened
            }
            if hasRoom { return ticket }
        }
    }

    /// Waits until there may be room. Cancelling the task that waits ends the stream.
    private func room(for limit: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let hasRoom = state.withLock { state in
                    let hasRoom = state.book.count < limit || state.book.isCancelled
                    if !hasRoom { state.writers.append(continuation) }
                    return hasRoom
                }
                if hasRoom { continuation.resume() }
            }
        } onCancel: {
            cancel()
        }
    }

    private func job(
        _ pose: StreamPose, received: ContinuousClock.Instant
    ) async throws -> (LaneScheduler.Job, LaneJob.Work, ServingEngine.Source) {
        if terms.subject.lease?.isRevoked == true {
            throw RequestError(.notFound, "\(terms.options.session) was deleted")
        }
        var resolved = terms.resolved
        var source = terms.source
        if pose.settings != FrameSettings() {
            resolved = try engine.resolver.resolve(
                pose.settings.over(terms.base), model: terms.subject.model,
                warmStart: terms.options.warmStart)
            resolved.form.lane = terms.resolved.form.lane
        }
        // A stream keeps its lane as long as that works.
        if engine.fleet.isLost(resolved.form.lane) {
            resolved.form = engine.place(resolved.form, of: terms.subject)
        }
        if resolved.form != terms.resolved.form {
            source = try await engine.conditioning(
                of: terms.subject, resolved.form, owner: terms.owner, due: nil)
        }
        var draft = ServingEngine.FrameDraft(
            resolved, pose: pose.pose, owner: terms.owner, received: received)
        draft.due = terms.options.frameDeadline.map { received.advanced(by: $0) }
        draft.warmStart = terms.options.warmStart
        draft.link = LaneScheduler.Job.Link(
            stream: terms.number, maxLag: terms.options.maxLag,
            isSequential: terms.options.warmStart > 0)
        let (job, work) = await engine.prepare(draft, source)
        return (job, work, source)
    }

    private func note(_ job: PlacedJob, _ ticket: StreamBook.Ticket) {
        let isCancelled = state.withLock { state in
            state.book.note(job, for: ticket)
            return state.book.isCancelled
        }
        if isCancelled { engine.fleet.cancel(job, with: .cancelled) }
    }

    private func finish(
        _ ticket: StreamBook.Ticket, _ outcome: LaneOutcome, received: ContinuousClock.Instant,
        due: ContinuousClock.Instant?
    ) {
        switch outcome {
        case .frame(let frame):
            engine.count(
                frame, due: due, received: received, session: terms.subject.lease?.session.id)
            answer(ticket, .frame(frame))
        case .superseded(let later, let waited):
            answer(ticket, .superseded(by: later, waited: waited))
        case .failed(let error): answer(ticket, .failed(error))
        case .conditioning:
            answer(ticket, .failed(RequestError(.internal, "a frame came to something else")))
        }
    }

    private func answer(_ ticket: StreamBook.Ticket, _ outcome: StreamEvent.Outcome) {
        change { $0.book.answer(ticket, outcome) }
    }

    // MARK: Events

    private func next() async -> StreamEvent? {
        await withCheckedContinuation { continuation in
            change { state in
                // One reader at a time: another takes its place, and the first finds the end.
                let before = state.reader
                state.reader = continuation
                before?.resume(returning: nil)
            }
        }
    }

    /// Changes the state, and does what follows: an answer to the reader, room for a writer, frames held
    /// back while too many wait to be read, and the end.
    private func change(_ body: (inout State) -> Void) {
        var event: (CheckedContinuation<StreamEvent?, Never>, StreamEvent?)?
        var writers: [CheckedContinuation<Void, Never>] = []
        var hold: Bool?
        var closes = false
        state.withLock { state in
            body(&state)
            if let reader = state.reader {
                switch state.book.take() {
                case .event(let next): event = (reader, next)
                case .end: event = (reader, nil)
                case .wait: break
                }
                if event != nil { state.reader = nil }
            }
            (writers, state.writers) = (state.writers, [])
            let isHeld = supersedes && state.book.unreadFrames >= terms.window
            if isHeld != state.isHeld { hold = isHeld }
            state.isHeld = isHeld
            let isOver =
                state.book.isCancelled || (state.book.isFinished && state.book.unanswered == 0)
            closes = isOver && !state.isClosed
            if isOver { state.isClosed = true }
        }
        if let hold { engine.fleet.hold(terms.number, hold) }
        if let event { event.0.resume(returning: event.1) }
        for writer in writers { writer.resume() }
        if closes { close() }
    }

    /// Gives back what the stream holds.
    private func close() {
        engine.fleet.close(stream: terms.number)
        engine.tally.streams(-1)
        terms.source.reference.release()
        terms.subject.lease?.release()
    }
}
