import PosedErrors
import PosedScheduling
import PosedSessions
import PosedVision

extension ServingEngine {
    package func synthesize(_ request: FrameRequest, owner: String) async throws -> Frame {
        let received = lanePool.now
        do {
            if let deadline = request.deadline, deadline <= received {
                throw RequestError(
                    .deadlineExceeded, "the deadline had passed when the request came")
            }
            let subject = try await subject(request.subject, owner: owner)
            defer { subject.lease?.release() }
            var resolved = try resolver.resolve(
                request.settings.over(subject.defaults), model: subject.model)
            resolved.form = place(resolved.form, of: subject)
            var pose = request.pose
            if let target = request.retargetTo {
                var track = try track(of: subject, retargetTo: target)
                pose = try seen(try track.next(pose), of: subject, resolved.form)
            }
            try checkCost(resolved)
            let source = try await counting(owner, from: received) { [self] in
                try await conditioning(
                    of: subject, resolved.form, owner: owner, due: request.deadline)
            }
            defer { source.reference.release() }
            var draft = FrameDraft(resolved, pose: pose, owner: owner, received: received)
            draft.due = request.deadline
            draft.expiry = request.deadline
            let job = await prepare(draft, source)
            switch await run(job.job, job.work, owner: owner) {
            case .frame(let frame):
                count(
                    frame, of: owner, due: nil, received: received, lease: subject.lease,
                    isFirst: subject.lease.map { $0.session.frameCount == 0 } ?? true)
                return frame
            case .failed(let error): throw error
            case .conditioning, .superseded:
                throw RequestError(.internal, "a frame came to something else")
            }
        } catch {
            throw RequestError(error)
        }
    }

    /// Counts a frame that comes to its end before it becomes a job.
    private func counting<Value>(
        _ owner: String, from received: ContinuousClock.Instant, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch {
            let waited = received.duration(to: lanePool.now)
            counters.frame(
                of: owner, outcome: RequestError(error).outcome, total: waited, queue: waited)
            throw error
        }
    }

    /// What is to become a job of the lane.
    struct FrameDraft: Sendable {
        var resolved: ResolvedFrame
        var pose: PoseInput
        var owner: String
        var received: ContinuousClock.Instant
        var due: ContinuousClock.Instant?
        var expiry: ContinuousClock.Instant?
        var link: LaneScheduler.Job.Link?
        var warmStart = 0.0

        init(
            _ resolved: ResolvedFrame, pose: PoseInput, owner: String,
            received: ContinuousClock.Instant
        ) {
            self.resolved = resolved
            self.pose = pose
            self.owner = owner
            self.received = received
        }
    }

    /// Makes a job of a draft, with what the caches have for it.
    func prepare(
        _ draft: FrameDraft, _ source: Source
    ) async -> (job: LaneScheduler.Job, work: LaneJob.Work) {
        let resolved = draft.resolved
        let key = await key(of: draft.pose, resolved.form, owner: draft.owner)
        let known = poses.pose(for: key)
        counters.cache("pose", hit: known != nil)
        let job = LaneScheduler.Job(
            owner: draft.owner, form: resolved.form, stages: known == nil ? [.pose] : [],
            rows: resolved.rows, evaluations: resolved.evaluations,
            leastEvaluations: resolved.least, received: draft.received, due: draft.due,
            expiry: draft.expiry, link: draft.link)
        var work = FrameWork(
            source: source.reference.payload, pose: draft.pose, settings: resolved.settings,
            tableau: resolved.tableau)
        work.encodedPose = known
        work.used = resolved.used
        work.cache = CacheUse(source: source.isKept, pose: known != nil)
        work.sourceTime = source.time
        work.warmStart = draft.warmStart
        work.onPose = { [poses] in poses.insert($0, for: key) }
        return (job, .frame(work))
    }

    /// Counts a frame that was made.
    func count(
        _ frame: Frame, of owner: String, due: ContinuousClock.Instant?,
        received: ContinuousClock.Instant,
        lease: SessionLease<SessionDefaults>?, isFirst: Bool
    ) {
        if isFirst { counters.firstFrame(frame.timings.total) }
        let isLate = due.map { received.advanced(by: frame.timings.total) > $0 } ?? false
        counters.note(owner, late: isLate, reduced: frame.used.isReduced)
        lease?.count(frames: 1)
    }

    /// Refuses a frame that would keep the device from others for too long, as far as its cost can be predicted.
    ///
    /// - Throws: `invalidArgument`.
    func checkCost(_ resolved: ResolvedFrame) throws(RequestError) {
        let limits = limits
        let form = resolved.form
        let (total, step) = lanePool[form].predict(
            LaneScheduler.Job(
                owner: "", form: form, stages: [.source, .pose], rows: resolved.rows,
                evaluations: resolved.evaluations, received: lanePool.now))
        let size = "\(form.width) × \(form.height) pixels"
        if step > limits.stepTime {
            throw RequestError(
                .invalidArgument,
                "a smaller picture expected: one step of a picture of \(size) is predicted to take "
                    + "\(step.rounded), and at most \(limits.stepTime.rounded) are allowed",
                at: "settings.width")
        }
        if total > limits.frameTime {
            throw RequestError(
                .invalidArgument,
                "less work expected: a picture of \(size) in \(resolved.evaluations) evaluations is predicted to "
                    + "take \(total.rounded), and at most \(limits.frameTime.rounded) are allowed",
                at: "settings.nfe")
        }
    }
}

extension Duration {
    /// The duration in seconds, for people.
    fileprivate var rounded: String {
        let tenths = (self / .milliseconds(100)).rounded()
        return "\(tenths / 10) s"
    }
}
