extension SessionTable {
    /// What someone has: sessions, and bytes of their pictures.
    private struct Holding {
        var sessions: Int
        var bytes: Int
    }

    /// The sessions to give up so that one more fits: first its owner's, as far as the owner is over
    /// a limit, then anyone's. Those unused for longest go first, never one in use, nor one that was
    /// used a moment ago. Nothing is given up for a session that does not fit in the end.
    func sacrifices(
        for newcomer: Session<Settings>, at now: Time
    ) throws(SessionError) -> [SessionID] {
        let usage = owners[newcomer.owner]
        var own = Holding(sessions: usage?.positions.count ?? 0, bytes: usage?.bytes ?? 0)
        var everyone = Holding(sessions: entries.count, bytes: bytes)
        var chosen: [SessionID] = []
        var isChosen: Set<SessionID> = []
        func giveUp(_ entry: Entry) {
            chosen.append(entry.session.id)
            isChosen.insert(entry.session.id)
            everyone.sessions -= 1
            everyone.bytes -= entry.session.byteCount
            guard entry.session.owner == newcomer.owner else { return }
            own.sessions -= 1
            own.bytes -= entry.session.byteCount
        }
        func shortage() -> (mine: LimitReached?, all: LimitReached?) {
            (
                refusal(
                    newcomer, own, limits.sessionsPerOwner, limits.bytesPerOwner,
                    .sessionsPerOwner, .sessionBytesPerOwner),
                refusal(
                    newcomer, everyone, limits.sessions, limits.bytes, .sessions, .sessionBytes)
            )
        }

        guard shortage() != (nil, nil) else { return [] }
        let candidates = evictable(at: now)
        for entry in candidates where entry.session.owner == newcomer.owner {
            guard shortage().mine != nil else { break }
            giveUp(entry)
        }
        if let refusal = shortage().mine { throw refusal.error }
        for entry in candidates where !isChosen.contains(entry.session.id) {
            guard shortage().all != nil else { break }
            giveUp(entry)
        }
        if let refusal = shortage().all { throw refusal.error }
        return chosen
    }

    /// The sessions that may be given up, those unused for longest first.
    private func evictable(at now: Time) -> [Entry] {
        guard limits.overflow == .evict else { return [] }
        var found: [Entry] = []
        for id in idle {
            guard let entry = entries[id],
                entry.used.advanced(by: limits.evictableAfter) <= now.instant
            else { break }
            found.append(entry)
        }
        return found
    }

    /// What keeps a session from fitting beside a holding.
    private func refusal(
        _ newcomer: Session<Settings>, _ holding: Holding, _ sessionLimit: Int, _ byteLimit: Int,
        _ sessions: LimitReached.Resource, _ bytes: LimitReached.Resource
    ) -> LimitReached? {
        if holding.sessions >= sessionLimit {
            return LimitReached(
                sessions, limit: sessionLimit, current: holding.sessions, requested: 1)
        }
        if newcomer.byteCount > byteLimit - holding.bytes {
            return LimitReached(
                bytes, limit: byteLimit, current: holding.bytes, requested: newcomer.byteCount)
        }
        return nil
    }
}
