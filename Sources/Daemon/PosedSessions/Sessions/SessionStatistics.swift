/// What a store holds, and what became of sessions since it was made.
package struct SessionStatistics: Hashable, Sendable {
    /// Sessions that their clients can see.
    package var sessions = 0
    /// Those of them that are in use.
    package var sessionsInUse = 0
    /// Leases that are not released; several may be of one session, or of one that was deleted.
    package var leases = 0
    /// Bytes of pictures held, those of deleted sessions in use included.
    package var bytes = 0
    /// Identities that have anything here.
    package var owners = 0
    /// Sessions made so far.
    package var created = 0
    /// Sessions taken over from the state directory.
    package var restored = 0
    /// Sessions that their clients deleted.
    package var deleted = 0
    /// Sessions that were idle for their time to live.
    package var expired = 0
    /// Sessions given up for others.
    package var evicted = 0

    /// Nothing yet.
    package init() {}

    /// Counts a removal.
    mutating func count(_ reason: RemovalReason) {
        switch reason {
        case .deleted: deleted += 1
        case .expired: expired += 1
        case .evicted: evicted += 1
        }
    }
}
