import PosedErrors
import PosedSessions
import PosedVision

/// Whose picture a frame is, found and held for the frame's time.
struct FrameSubject: Sendable {
    let pictures: [Image]
    /// How they are framed for each size of picture that is made.
    let framing: SourceFraming
    /// The model's place.
    let model: Int
    let defaults: FrameSettings
    /// Keeps the session while it is used; nil for pictures that came along.
    let lease: SessionLease<SessionDefaults>?
}

extension ServingEngine {
    /// Finds a frame's subject.
    ///
    /// - Throws: `RequestError`, or what the store throws.
    func subject(
        _ subject: FrameRequest.Subject, owner: String
    ) async throws -> FrameSubject {
        switch subject {
        case .pictures(let pictures, let model, let framing):
            try check(pictures)
            return FrameSubject(
                pictures: pictures, framing: framing, model: try resolver.model(model),
                defaults: FrameSettings(), lease: nil)
        case .session(let name):
            let lease = try store.acquire(
                try await store.find(named: name, owner: owner), owner: owner)
            let settings = lease.session.settings
            return FrameSubject(
                pictures: try lease.session.pictures.map {
                    try Image(width: $0.width, height: $0.height, bytes: $0.pixels)
                },
                framing: settings.framing ?? SourceFraming(fit: .stretch),
                model: try resolver.model(settings.model), defaults: settings.frame, lease: lease)
        }
    }

    /// The form on the lane that is to do a subject's next work.
    func place(_ form: LaneForm, of subject: FrameSubject) -> LaneForm {
        guard let id = subject.lease?.session.id else { return form.on(lanePool.lane(homes: [])) }
        return form.on(lanePool.lane(homes: sessionKeys.lanes(id, form)))
    }

    /// The subject's conditioning in a form.
    func conditioning(
        of subject: FrameSubject, _ form: LaneForm, owner: String,
        due: ContinuousClock.Instant?
    ) async throws -> Source {
        let known = subject.lease.flatMap { sessionKeys.key($0.session.id, form) }
        if let known, let kept = try kept(known, owner: owner) { return kept }
        let pictures = try await framed(subject.pictures, subject.framing, form)
        let key: ContentKey
        if let known {
            key = known
        } else {
            key = try await self.key(of: pictures, form, owner: owner)
        }
        let source = try await conditioning(
            of: pictures, key, form, owner: owner, isOfSession: subject.lease != nil, due: due)
        if let id = subject.lease?.session.id {
            keep(source, of: id, form, owner: owner)
        }
        return source
    }

    /// What fits and calms a subject's poses, in their order.
    ///
    /// - Parameter target: the pose of the person in the subject's main picture; nil where poses stay as they are.
    /// - Throws: `RequestError` that names `retarget_to`.
    func track(
        of subject: FrameSubject, retargetTo target: Keypoints?, smoother: PoseSmoother? = nil
    ) throws(RequestError) -> PoseTrack {
        do {
            let retargeter = try target.flatMap { target in
                try subject.pictures.first.map {
                    try PoseRetargeter(source: target, width: $0.width, height: $0.height)
                }
            }
            return PoseTrack(retargeter: retargeter, smoother: smoother)
        } catch {
            throw RequestError(error, at: "retarget_to")
        }
    }

    /// A pose that was fitted to a subject's main picture, measured in what a frame of that form shows of it.
    func seen(
        _ pose: PoseInput, of subject: FrameSubject, _ form: LaneForm
    ) throws -> PoseInput {
        let shown = try subject.pictures.first.map { picture in
            try framing(subject.framing, form).region(
                of: picture, width: form.width, height: form.height,
                box: subject.framing.boxes.first ?? nil)
        }
        return pose.seen(in: shown)
    }
}
