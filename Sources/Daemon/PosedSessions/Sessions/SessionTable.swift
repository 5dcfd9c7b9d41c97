import PosedBase
package import PosedErrors

/// All sessions and every decision about them; performs nothing and reads no clock.
///
/// Each call is one step: it says what time it is, changes the table, and leaves in the outbox what
/// is to be written down or removed. The caller takes the outbox after every call, after one that
/// threw as well. A refusal changes nothing, except that what had expired by then is gone.
///
/// Times that are handed in do not run backwards.
package struct SessionTable<Settings: SessionSettings, Instant: InstantProtocol>: Sendable
where Instant.Duration == Duration {
    /// A moment on this table's clocks.
    package typealias Time = Moment<Instant>
    /// The number of a lease; never used again.
    package typealias LeaseNumber = UInt64

    /// A session that its client can see.
    struct Entry: Sendable {
        var session: Session<Settings>
        /// When its last lease was released, or it was made or changed.
        var used: Instant
        /// The last use that was put in the outbox.
        var recorded: Instant
        var leases = 0
    }

    /// What is left of a session that was deleted in use, until its last lease is released.
    struct Remnant: Sendable {
        let owner: String
        let bytes: Int
        var leases: Int
    }

    /// A word of a client's own, and whose it is.
    struct OwnWord: Hashable, Sendable {
        let owner: String
        let word: String
    }

    /// How much is kept; a change takes effect with the next session.
    package var limits: SessionLimits

    var entries: [SessionID: Entry] = [:]
    var remnants: [SessionID: Remnant] = [:]
    var owners: [String: OwnerUsage] = [:]
    /// Sessions by the ids that their owners chose, and by the requests that made them.
    var chosen: [OwnWord: SessionID] = [:]
    var requests: [OwnWord: SessionID] = [:]
    /// Sessions without a lease, by last use.
    var idle = RecencyList<SessionID>()
    var leases: [LeaseNumber: SessionID] = [:]
    var lastLease: LeaseNumber = 0
    var bytes = 0
    var gone: RecentlyGone
    var outbox: [SessionAction<Settings>] = []
    var counts = SessionStatistics()
    /// Owners whose usage has changed since somebody asked.
    private var touched: Set<String> = []

    /// A table without sessions.
    package init(limits: SessionLimits, remembersGone: Int = 1024) {
        self.limits = limits
        gone = RecentlyGone(capacity: remembersGone)
    }

    /// What is to be performed since the last call, in this order.
    package mutating func takeActions() -> [SessionAction<Settings>] {
        defer { outbox = [] }
        return outbox
    }

    /// How many sessions, and how many bytes of pictures, the owners have whose usage has changed since the last
    /// call.
    package mutating func takeChangedUsage() -> [(owner: String, sessions: Int, bytes: Int)] {
        defer { touched = [] }
        return touched.map { owner in
            (owner, owners[owner]?.positions.count ?? 0, owners[owner]?.bytes ?? 0)
        }
    }

    /// What the table holds, and what became of sessions so far.
    package var statistics: SessionStatistics {
        var statistics = counts
        statistics.sessions = entries.count
        statistics.sessionsInUse = entries.count - idle.count
        statistics.leases = leases.count
        statistics.bytes = bytes
        statistics.owners = owners.count
        return statistics
    }

    /// Makes a session, and room for it where the limits allow that. A request that was made before gets the
    /// session that it got then, as long as that exists.
    ///
    /// - Throws: `invalidArgument`, `alreadyExists` for a chosen id that is taken, and `resourceExhausted` when
    ///   there is no room and none can be made.
    package mutating func create(
        _ draft: SessionDraft<Settings>, id: SessionID, owner: String, at now: Time
    ) throws(RequestError) -> Session<Settings> {
        try check(draft, owner: owner)
        guard entries[id] == nil, remnants[id] == nil else {
            throw RequestError(.aborted, "a new session's id is unused, but \(id) is not")
        }
        sweep(at: now)
        if let made = try repeated(draft, owner: owner) { return seen(made, at: now) }
        if let word = draft.chosenID, chosen[OwnWord(owner: owner, word: word)] != nil {
            throw RequestError(
                .alreadyExists, "there is a session \(SessionID.collection)\(word) already",
                at: "session_id")
        }
        let session = Session(
            id: id, chosenID: draft.chosenID, requestID: draft.requestID, owner: owner,
            displayName: draft.displayName, labels: draft.labels,
            timeToLive: draft.timeToLive ?? limits.defaultTimeToLive, settings: draft.settings,
            pictures: draft.pictures, picturesKey: draft.picturesKey, created: now.wall,
            used: now.wall, revision: 1)
        for victim in try evictions(for: session, at: now) {
            remove(victim, .evicted, at: now)
        }
        insert(session, used: now.instant)
        counts.created += 1
        outbox.append(.save(session))
        return session
    }

    /// The session that the same request made before; nil where it is new.
    private func repeated(
        _ draft: SessionDraft<Settings>, owner: String
    ) throws(RequestError) -> Entry? {
        guard let word = draft.requestID, let id = requests[OwnWord(owner: owner, word: word)],
            let entry = entries[id]
        else { return nil }
        let session = entry.session
        guard session.picturesKey == draft.picturesKey, session.chosenID == draft.chosenID,
            session.revision > 1 || session.settings == draft.settings
        else {
            throw RequestError(
                .invalidArgument,
                "a request of this id made \(session.name) of other pictures or settings",
                at: "request_id")
        }
        return entry
    }

    /// The id of a session by its name, `sessions/…`; nil for a name that this client has no session of.
    package func id(named name: String, owner: String) -> SessionID? {
        if let id = SessionID(name: name) { return id }
        guard name.hasPrefix(SessionID.collection) else { return nil }
        let word = String(name.dropFirst(SessionID.collection.count))
        return chosen[OwnWord(owner: owner, word: word)]
    }

    /// A session as it is now. To look at it does not count as use.
    ///
    /// - Throws: `notFound`.
    package mutating func session(
        _ id: SessionID, owner: String, at now: Time
    ) throws(RequestError) -> Session<Settings> {
        seen(try entry(id, owner: owner, at: now), at: now)
    }

    /// Changes what a client may change; this counts as use.
    ///
    /// - Throws: `notFound`, `invalidArgument`, and `aborted` for an outdated revision.
    package mutating func update(
        _ id: SessionID, owner: String, with update: SessionUpdate<Settings>, at now: Time
    ) throws(RequestError) -> Session<Settings> {
        var entry = try entry(id, owner: owner, at: now)
        try check(update.expectedRevision, of: entry.session)
        if let name = update.displayName { try SessionText.checkDisplayName(name) }
        if let labels = update.labels { try SessionText.checkLabels(labels) }
        if let timeToLive = update.timeToLive { try check(timeToLive) }
        entry.session.displayName = update.displayName ?? entry.session.displayName
        entry.session.labels = update.labels ?? entry.session.labels
        entry.session.timeToLive = update.timeToLive ?? entry.session.timeToLive
        entry.session.settings = update.settings ?? entry.session.settings
        entry.session.revision += 1
        entry.session.used = now.wall
        entry.used = now.instant
        entry.recorded = now.instant
        entries[id] = entry
        if entry.leases == 0 { idle.use(id) }
        outbox.append(.save(entry.session))
        return entry.session
    }

    /// Ends a session. Whoever uses it at this moment keeps what it holds until it is released; no
    /// one finds it any more.
    ///
    /// - Throws: `notFound`, and `aborted` for an outdated revision.
    package mutating func delete(
        _ id: SessionID, owner: String, expectedRevision: UInt64? = nil, at now: Time
    ) throws(RequestError) {
        try check(expectedRevision, of: try entry(id, owner: owner, at: now).session)
        remove(id, .deleted, at: now)
    }
}

extension SessionTable {
    /// The entry that this identity may see; one that has expired is removed instead.
    mutating func entry(
        _ id: SessionID, owner: String, at now: Time
    ) throws(RequestError) -> Entry {
        guard let entry = entries[id], entry.session.owner == owner else {
            throw notFound(id, owner: owner)
        }
        guard !isExpired(entry, at: now) else {
            remove(id, .expired, at: now)
            throw notFound(id, owner: owner)
        }
        return entry
    }

    /// The session with its last use as a client sees it.
    func seen(_ entry: Entry, at now: Time) -> Session<Settings> {
        guard entry.leases > 0 else { return entry.session }
        var session = entry.session
        session.used = now.wall
        return session
    }

    /// Throws `aborted` where the client knows another revision than the session's.
    private func check(
        _ expected: UInt64?, of session: Session<Settings>
    ) throws(RequestError) {
        guard let expected, expected != session.revision else { return }
        throw RequestError(
            .aborted,
            "\(session.name) was changed meanwhile: its etag is \(session.revision) and not "
                + "\(expected); read it again, and repeat the change", at: "etag")
    }

    /// Adds an idle session.
    mutating func insert(_ session: Session<Settings>, used: Instant) {
        entries[session.id] = Entry(session: session, used: used, recorded: used)
        idle.use(session.id)
        if let word = session.chosenID {
            chosen[OwnWord(owner: session.owner, word: word)] = session.id
        }
        if let word = session.requestID {
            requests[OwnWord(owner: session.owner, word: word)] = session.id
        }
        bytes += session.byteCount
        touched.insert(session.owner)
        owners[session.owner, default: OwnerUsage()].insert(session.position)
        owners[session.owner, default: OwnerUsage()].bytes += session.byteCount
    }

    /// Ends a session, whoever uses it.
    mutating func remove(_ id: SessionID, _ reason: RemovalReason, at now: Time) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        let session = entry.session
        touched.insert(session.owner)
        if let word = session.chosenID {
            chosen[OwnWord(owner: session.owner, word: word)] = nil
        }
        if let word = session.requestID {
            requests[OwnWord(owner: session.owner, word: word)] = nil
        }
        idle.remove(id)
        owners[session.owner]?.remove(session.position)
        if entry.leases > 0 {
            remnants[id] = Remnant(
                owner: session.owner, bytes: session.byteCount, leases: entry.leases)
        } else {
            giveBack(bytes: session.byteCount, of: session.owner)
        }
        gone.add(id, owner: session.owner, reason: reason, at: now.wall)
        counts.count(reason)
        outbox.append(.remove(session, reason))
    }

    /// Ends the accounting of pictures that nobody holds any more.
    mutating func giveBack(bytes count: Int, of owner: String) {
        bytes -= count
        touched.insert(owner)
        guard var usage = owners[owner] else { return }
        usage.bytes -= count
        owners[owner] = usage.positions.isEmpty && usage.bytes == 0 ? nil : usage
    }

    private func notFound(_ id: SessionID, owner: String) -> RequestError {
        let sentence =
            switch gone[id, owner].map({ ($0.reason, $0.at.text) }) {
            case nil: "there is no session \(id.name) of this client's"
            case (.deleted, let time)?: "\(id.name) was deleted at \(time)"
            case (.expired, let time)?: "\(id.name) expired, unused, and was dropped at \(time)"
            case (.evicted, let time)?:
                "\(id.name) was given up at \(time) to make room for another"
            }
        return RequestError(.notFound, sentence, at: "session")
    }
}

extension Session {
    /// Its place in a listing.
    var position: PageToken.Position { PageToken.Position(created: created, id: id) }
}
