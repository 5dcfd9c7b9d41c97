package import PosedErrors

/// How much the store keeps, and for how long.
package struct SessionLimits: Hashable, Sendable {
    /// What to do when a new session finds no room.
    package enum Overflow: String, Hashable, Sendable, CaseIterable, Codable {
        /// Give up the sessions that have not been used for longest.
        case evict
        /// Refuse the new one.
        case refuse
    }

    /// The most sessions of everyone.
    package var sessions = 1024
    /// The most sessions of one identity.
    package var sessionsPerOwner = 256
    /// The most bytes that the pictures of all sessions take.
    package var bytes = 1 << 30
    /// The most bytes that the pictures of one identity's sessions take.
    package var bytesPerOwner = 1 << 29
    /// Owners with bounds of their own, in place of the two before.
    package var named: [String: OwnerBounds] = [:]
    /// The most pictures of one session.
    package var picturesPerSession = 8
    /// The least time to live that a client may ask for.
    package var leastTimeToLive: Duration = .seconds(1)
    /// The greatest time to live that a client may ask for.
    package var greatestTimeToLive: Duration = .seconds(24 * 60 * 60)
    /// The time to live of a session whose client asks for none.
    package var defaultTimeToLive: Duration = .seconds(15 * 60)
    /// What to do when there is no room.
    package var overflow: Overflow = .evict
    /// How long a session must have been idle before it may be given up for another.
    package var evictableAfter: Duration = .seconds(60)

    /// Limits for one machine with a few dozen clients.
    package init() {}

    /// How much one identity may keep.
    package struct OwnerBounds: Hashable, Sendable {
        /// The most sessions.
        package var sessions: Int
        /// The most bytes that the pictures of its sessions take.
        package var bytes: Int

        /// Bounds as given.
        package init(sessions: Int, bytes: Int) {
            self.sessions = sessions
            self.bytes = bytes
        }
    }

    /// How much an identity may keep.
    package func bounds(of owner: String) -> OwnerBounds {
        named[owner] ?? OwnerBounds(sessions: sessionsPerOwner, bytes: bytesPerOwner)
    }

    /// Checks that the limits make sense together.
    ///
    /// - Throws: `invalidArgument`, naming the limit.
    package func validate() throws(RequestError) {
        func refuse(_ message: String) -> RequestError { RequestError(.invalidArgument, message) }
        let counts = [
            ("sessions", sessions), ("sessions per owner", sessionsPerOwner), ("bytes", bytes),
            ("bytes per owner", bytesPerOwner), ("pictures per session", picturesPerSession),
        ]
        for (name, count) in counts where count < 1 {
            throw refuse("the limit of \(name) is at least 1, but is \(count)")
        }
        guard leastTimeToLive >= .milliseconds(1) else {
            throw refuse("the least time to live is at least 1 ms, but is \(leastTimeToLive)")
        }
        guard greatestTimeToLive <= .seconds(366 * 24 * 60 * 60) else {
            throw refuse(
                "the greatest time to live is at most 366 days, but is \(greatestTimeToLive)")
        }
        guard leastTimeToLive <= defaultTimeToLive, defaultTimeToLive <= greatestTimeToLive else {
            throw refuse(
                "the default time to live is between \(leastTimeToLive) and "
                    + "\(greatestTimeToLive), but is \(defaultTimeToLive)")
        }
        guard evictableAfter >= .zero else {
            throw refuse("the idle time before eviction is not negative, but is \(evictableAfter)")
        }
    }
}
