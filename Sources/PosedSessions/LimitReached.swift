/// A limit that left no room for what was asked.
package struct LimitReached: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is limited.
    package enum Resource: String, Sendable, CaseIterable {
        /// Sessions of everyone.
        case sessions
        /// Sessions of the asking identity.
        case sessionsPerOwner
        /// Bytes of all sessions' pictures.
        case sessionBytes
        /// Bytes of the pictures of the asking identity's sessions.
        case sessionBytesPerOwner
        /// Bytes of conditioning in use or being computed.
        case conditioningBytes
    }

    /// What is limited.
    package let resource: Resource
    /// The most that is allowed.
    package let limit: Int
    /// What is taken already and cannot be given up.
    package let current: Int
    /// What was asked for on top of it.
    package let requested: Int

    /// A refusal.
    package init(_ resource: Resource, limit: Int, current: Int, requested: Int) {
        self.resource = resource
        self.limit = limit
        self.current = current
        self.requested = requested
    }

    /// The refusal as a sentence.
    package var description: String {
        switch resource {
        case .sessions:
            "at most \(limit) sessions are kept, and \(current) of them are in use or too recent "
                + "to be given up"
        case .sessionsPerOwner:
            "a client keeps at most \(limit) sessions, and \(current) of its own are in use or too "
                + "recent to be given up"
        case .sessionBytes:
            "the pictures of all sessions take at most \(limit) bytes, of which \(current) cannot "
                + "be given up now, so \(requested) more do not fit"
        case .sessionBytesPerOwner:
            "the pictures of a client's sessions take at most \(limit) bytes, of which \(current) "
                + "cannot be given up now, so \(requested) more do not fit"
        case .conditioningBytes:
            "the conditioning of sources takes at most \(limit) bytes, of which \(current) are in "
                + "use, so \(requested) more do not fit"
        }
    }

    /// The refusal as the room's error.
    package var error: SessionError { SessionError(.limitReached, description, cause: self) }
}
