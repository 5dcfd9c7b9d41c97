package import PosedErrors

extension SessionTable {
    /// Puts a session to use: until the lease is released it neither expires nor is given up.
    ///
    /// - Throws: `notFound`.
    package mutating func acquire(
        _ id: SessionID, owner: String, at now: Time
    ) throws(RequestError) -> (lease: LeaseNumber, session: Session<Settings>) {
        var entry = try entry(id, owner: owner, at: now)
        entry.leases += 1
        entry.used = now.instant
        entry.session.used = now.wall
        record(&entry, at: now)
        entries[id] = entry
        idle.remove(id)
        lastLease += 1
        leases[lastLease] = id
        return (lastLease, entry.session)
    }

    /// Ends a use; says whether the lease was one. A second release of a lease does nothing.
    @discardableResult
    package mutating func release(_ lease: LeaseNumber, at now: Time) -> Bool {
        guard let id = leases.removeValue(forKey: lease) else { return false }
        if var entry = entries[id] {
            entry.leases -= 1
            entry.used = now.instant
            entry.session.used = now.wall
            record(&entry, at: now)
            entries[id] = entry
            if entry.leases == 0 { idle.use(id) }
        } else if var remnant = remnants[id] {
            remnant.leases -= 1
            remnants[id] = remnant.leases == 0 ? nil : remnant
            if remnant.leases == 0 { giveBack(bytes: remnant.bytes, of: remnant.owner) }
        }
        return true
    }

    /// Counts frames that were made with a lease.
    package mutating func count(frames: UInt64, by lease: LeaseNumber) {
        guard let id = leases[lease] else { return }
        entries[id]?.session.frameCount &+= frames
    }

    /// Whether a lease's session was deleted meanwhile, or the lease is none any more.
    package func isRevoked(_ lease: LeaseNumber) -> Bool {
        leases[lease].map { entries[$0] == nil } ?? true
    }

    /// Puts a use in the outbox when the last one there is old enough, so that a session that is
    /// used all the time does not write all the time.
    mutating func record(_ entry: inout Entry, at now: Time) {
        guard recordDue(entry) <= now.instant else { return }
        entry.recorded = now.instant
        outbox.append(.save(entry.session))
    }

    /// When the use of an entry is to be written down again.
    func recordDue(_ entry: Entry) -> Instant {
        entry.recorded.advanced(by: Self.recordInterval(entry.session.timeToLive))
    }

    /// By how much the last use that is written down may lag behind the true one: a sixteenth of the
    /// time to live, but not less than five seconds, unless that is the time to live itself.
    static func recordInterval(_ timeToLive: Duration) -> Duration {
        min(timeToLive, max(timeToLive / 16, .seconds(5)))
    }
}
