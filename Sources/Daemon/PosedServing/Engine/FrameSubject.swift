import PosedSessions
import PosedVision

/// Whose picture a frame is, found and held for the frame's time.
struct FrameSubject: Sendable {
    let pictures: [Image]
    /// How they are to be framed; nil for a session's, which were framed when it was made.
    let framing: SourceFraming?
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
    func subject(_ subject: FrameRequest.Subject, owner: String) throws -> FrameSubject {
        switch subject {
        case .pictures(let pictures, let model, let framing):
            try check(pictures)
            return FrameSubject(
                pictures: pictures, framing: framing, model: try resolver.model(model),
                defaults: FrameSettings(), lease: nil)
        case .session(let name):
            let lease = try store.acquire(
                try store.id(named: name, owner: owner), owner: owner)
            let settings = lease.session.settings
            return FrameSubject(
                pictures: try lease.session.pictures.map {
                    try Image(width: $0.width, height: $0.height, bytes: $0.pixels)
                },
                framing: nil, model: try resolver.model(settings.model), defaults: settings.frame,
                lease: lease)
        }
    }

    /// The form on the lane that is to do a subject's next work.
    func place(_ form: LaneForm, of subject: FrameSubject) -> LaneForm {
        guard let id = subject.lease?.session.id else { return form.on(fleet.lane(homes: [])) }
        return form.on(fleet.lane(homes: notes.lanes(id, form)))
    }

    /// The subject's conditioning in a form.
    func conditioning(
        of subject: FrameSubject, _ form: LaneForm, owner: String,
        due: ContinuousClock.Instant?
    ) async throws -> Source {
        var pictures = subject.pictures
        if let framing = subject.framing { pictures = try await framed(pictures, framing, form) }
        let known = subject.lease.flatMap { notes.key($0.session.id, form) }
        let key: ContentKey
        if let known {
            key = known
        } else {
            key = try await self.key(of: pictures, form, owner: owner)
        }
        let source = try await conditioning(
            of: pictures, key, form, owner: owner, due: due)
        if let id = subject.lease?.session.id {
            keep(key, of: id, form)
        }
        return source
    }
}
