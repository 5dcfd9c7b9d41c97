import PosedBase
package import PosedErrors

extension SessionTable {
    /// Removes what has expired, and has the use of sessions with leases written down where it is
    /// due.
    ///
    /// - Returns: when there will be something to do again; nil when there is nothing at all.
    @discardableResult
    package mutating func sweep(at now: Time) -> Instant? {
        var next: Instant?
        for (id, entry) in entries {
            var due: Instant
            if entry.leases == 0 {
                due = entry.used.advanced(by: entry.session.timeToLive)
                guard due > now.instant else {
                    remove(id, .expired, at: now)
                    continue
                }
            } else {
                due = recordDue(entry)
                if due <= now.instant {
                    var recorded = entry
                    recorded.session.used = now.wall
                    record(&recorded, at: now)
                    entries[id] = recorded
                    due = recordDue(recorded)
                }
            }
            next = next.map { min($0, due) } ?? due
        }
        return next
    }

    /// Has every use written down that is not yet; for the end of the program.
    package mutating func flush(at now: Time) {
        for id in entries.keys.sorted() {
            guard var entry = entries[id], entry.leases > 0 || entry.used != entry.recorded
            else { continue }
            if entry.leases > 0 { entry.session.used = now.wall }
            entry.recorded = entry.used
            entries[id] = entry
            outbox.append(.save(entry.session))
        }
    }

    /// Takes in sessions that were written down by an earlier process.
    ///
    /// The time between is idle time by the wall clock, less the lag that written uses may have;
    /// a wall clock that went back counts as no time at all. Of more sessions than the limits allow,
    /// those used last are taken.
    ///
    /// - Returns: the sessions that found no room; what was written of them stays.
    package mutating func adopt(
        _ sessions: [Session<Settings>], at now: Time
    ) -> [Session<Settings>] {
        var adopted: [(session: Session<Settings>, used: Instant)] = []
        var refused: [Session<Settings>] = []
        let latestFirst = sessions.sorted { ($1.used, $1.id) < ($0.used, $0.id) }
        var room = AdoptionRoom(self)
        for var session in latestFirst where entries[session.id] == nil {
            session.timeToLive = min(
                max(session.timeToLive, limits.leastTimeToLive), limits.greatestTimeToLive)
            let lag = Self.recordInterval(session.timeToLive)
            let idle = max(.zero, session.used.duration(to: now.wall) - lag)
            if idle >= session.timeToLive {
                counts.count(.expired)
                gone.add(session.id, owner: session.owner, reason: .expired, at: now.wall)
                outbox.append(.remove(session, .expired))
            } else if room.take(session, limits) {
                adopted.append((session, now.instant.advanced(by: .zero - idle)))
            } else {
                refused.append(session)
            }
        }
        for (session, used) in adopted.reversed() { insert(session, used: used) }
        counts.restored += adopted.count
        return refused
    }

    /// Takes in a session as another daemon left it in the store that they share: a new one, or another version of one
    /// that is here. Its pictures never change, and whoever uses it goes on.
    ///
    /// - Throws: `resourceExhausted` when there is no room and none can be made.
    package mutating func take(
        _ session: Session<Settings>, idle: Duration, at now: Time
    ) throws(RequestError) {
        if let word = session.chosenID,
            let old = chosen[OwnWord(owner: session.owner, word: word)], old != session.id
        {
            remove(old, .deleted, at: now)
        }
        if var entry = entries[session.id] {
            entry.session.displayName = session.displayName
            entry.session.labels = session.labels
            entry.session.timeToLive = session.timeToLive
            entry.session.settings = session.settings
            entry.session.revision = session.revision
            entry.recorded = now.instant
            entries[session.id] = entry
            return
        }
        for victim in try evictions(for: session, at: now) { remove(victim, .evicted, at: now) }
        insert(session, used: now.instant.advanced(by: .zero - idle))
        counts.restored += 1
    }

    /// Ends a session that another daemon has ended, or another's of the same name has replaced.
    package mutating func drop(_ id: SessionID, at now: Time) { remove(id, .deleted, at: now) }

    /// Has a session written down once more, as it is.
    package mutating func rewrite(_ id: SessionID) {
        if let entry = entries[id] { outbox.append(.save(entry.session)) }
    }

    /// Whether an idle session's time is over.
    func isExpired(_ entry: Entry, at now: Time) -> Bool {
        entry.leases == 0
            && entry.used.advanced(by: entry.session.timeToLive) <= now.instant
    }
}

/// What is taken while sessions are being adopted.
private struct AdoptionRoom {
    private var sessions: Int
    private var bytes: Int
    private var owners: [String: (sessions: Int, bytes: Int)]

    init<Settings, Instant>(_ table: SessionTable<Settings, Instant>) {
        sessions = table.entries.count
        bytes = table.bytes
        owners = table.owners.mapValues { ($0.positions.count, $0.bytes) }
    }

    /// Takes room for a session; false, and nothing taken, when there is none.
    mutating func take<Settings>(
        _ session: Session<Settings>, _ limits: SessionLimits
    ) -> Bool {
        let own = owners[session.owner] ?? (0, 0)
        let added = session.byteCount
        let bounds = limits.bounds(of: session.owner)
        guard sessions < limits.sessions, own.sessions < bounds.sessions,
            added <= limits.bytes - bytes, added <= bounds.bytes - own.bytes
        else { return false }
        sessions += 1
        bytes += added
        owners[session.owner] = (own.sessions + 1, own.bytes + added)
        return true
    }
}
