import PosedErrors

extension SessionTable {
    /// What someone has: sessions, and bytes of their pictures.
    private struct Holding {
        var sessions: Int
        var bytes: Int
    }

    /// The sessions to give up so that one more fits: first its owner's, as far as the owner is over
    /// a limit, then its owner's and those of owners that have more than an equal share of what all
    /// owners may have. Those unused for longest go first, never one in use, nor one that was used a
    /// moment ago. Nothing is given up for a session that does not fit in the end.
    func evictions(
        for session: Session<Settings>, at now: Time
    ) throws(RequestError) -> [SessionID] {
        let bounds = limits.bounds(of: session.owner)
        let usage = owners[session.owner]
        let ownerCount = owners.count + (usage == nil ? 1 : 0)
        var others = owners.mapValues { Holding(sessions: $0.positions.count, bytes: $0.bytes) }
        var own = Holding(sessions: usage?.positions.count ?? 0, bytes: usage?.bytes ?? 0)
        var everyone = Holding(sessions: entries.count, bytes: bytes)
        var chosen: [SessionID] = []
        var isChosen: Set<SessionID> = []
        func giveUp(_ entry: Entry) {
            chosen.append(entry.session.id)
            isChosen.insert(entry.session.id)
            everyone.sessions -= 1
            everyone.bytes -= entry.session.byteCount
            others[entry.session.owner]?.sessions -= 1
            others[entry.session.owner]?.bytes -= entry.session.byteCount
            guard entry.session.owner == session.owner else { return }
            own.sessions -= 1
            own.bytes -= entry.session.byteCount
        }
        func shortage() -> (mine: RequestError?, all: RequestError?) {
            (
                refusal(
                    session, own, bounds.sessions, bounds.bytes,
                    of: "identity:\(session.owner)"),
                refusal(session, everyone, limits.sessions, limits.bytes, of: "daemon")
            )
        }

        /// Whether an owner has more than its share.
        func hasMuch(_ owner: String) -> Bool {
            guard owner != session.owner, let holding = others[owner] else { return true }
            return holding.sessions * ownerCount > limits.sessions
                || holding.bytes > limits.bytes / ownerCount
        }

        let first = shortage()
        guard first.mine != nil || first.all != nil else { return [] }
        let candidates = evictable(at: now)
        for entry in candidates where entry.session.owner == session.owner {
            guard shortage().mine != nil else { break }
            giveUp(entry)
        }
        if let refusal = shortage().mine { throw refusal }
        for entry in candidates where !isChosen.contains(entry.session.id) {
            guard shortage().all != nil else { break }
            if hasMuch(entry.session.owner) { giveUp(entry) }
        }
        if let refusal = shortage().all { throw refusal }
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

    /// The refusal of a session that does not fit beside a holding; nil for one that fits.
    private func refusal(
        _ session: Session<Settings>, _ holding: Holding, _ sessionLimit: Int, _ byteLimit: Int,
        of subject: String
    ) -> RequestError? {
        let isOwn = subject != "daemon"
        if holding.sessions >= sessionLimit {
            let who =
                isOwn
                ? "a client keeps at most \(sessionLimit) sessions"
                : "at most \(sessionLimit) sessions are kept"
            return .quota(
                "\(who), and \(holding.sessions) are in use or too recent to be given up",
                of: subject)
        }
        if session.byteCount > byteLimit - holding.bytes {
            let whose = isOwn ? "a client's" : "all"
            return .quota(
                "the pictures of \(whose) sessions take at most \(byteLimit) bytes, of which "
                    + "\(holding.bytes) cannot be given up now, so \(session.byteCount) more do "
                    + "not fit", of: subject)
        }
        return nil
    }
}
