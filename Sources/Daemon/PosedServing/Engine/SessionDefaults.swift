package import PosedSessions

/// What is kept with a session beside its pictures.
package struct SessionDefaults: Codable, Equatable, Sendable {
    /// `models/{model}`.
    package var model: String
    package var frame: FrameSettings
    /// How the pictures are framed; nil where an earlier version kept the session, whose pictures are framed already.
    package var framing: SourceFraming?
    /// Bytes that the session's sources take when they are encoded; nil where an earlier version kept the session.
    package var conditioningBytes: Int?

    /// As given.
    package init(
        model: String, frame: FrameSettings, framing: SourceFraming? = nil,
        conditioningBytes: Int? = nil
    ) {
        self.model = model
        self.frame = frame
        self.framing = framing
        self.conditioningBytes = conditioningBytes
    }
}

/// The store of sessions that the engine room works with.
package typealias ServedSessions = SessionStore<SessionDefaults, ContinuousClock>
