package import PosedSessions

/// What is kept with a session beside its pictures.
package struct SessionDefaults: Codable, Equatable, Sendable {
    /// `models/{model}`.
    package var model: String
    package var frame: FrameSettings

    /// As given.
    package init(model: String, frame: FrameSettings) {
        self.model = model
        self.frame = frame
    }
}

/// The store of sessions that the engine room works with.
package typealias ServedSessions = SessionStore<SessionDefaults, ContinuousClock>
