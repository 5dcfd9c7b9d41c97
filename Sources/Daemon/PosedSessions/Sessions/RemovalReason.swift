/// Why a session is no more.
package enum RemovalReason: String, Hashable, Sendable, CaseIterable {
    /// Its client deleted it.
    case deleted
    /// It was idle for its time to live.
    case expired
    /// A newer session needed its room.
    case evicted
}

/// What the store's shell has to do after a call. The table decides; the shell performs.
package enum SessionAction<Settings: SessionSettings>: Sendable, Equatable {
    /// Write the session down.
    case save(Session<Settings>)
    /// Remove what was written of it, and tell whoever wants to know.
    case remove(Session<Settings>, RemovalReason)
}
