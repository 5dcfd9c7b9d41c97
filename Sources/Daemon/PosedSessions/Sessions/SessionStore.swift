package import PosedAccounts
package import PosedBase
package import PosedErrors
import PosedGuarded

/// The sessions of a daemon: ``SessionTable`` behind a lock, with clocks, and with an archive where
/// sessions are to survive a restart.
///
/// A session is named by an unguessable id and belongs to the identity that made it; for any other
/// it does not exist. Calls are short and never wait for a disk, but for those that are `async`:
/// they return when what they did would survive a crash, or when the archive has reported that it
/// would not.
package final class SessionStore<Settings: SessionSettings, C: Clock>: Sendable
where C.Duration == Duration {
    /// Is told of every session that ends. Called outside of the store's lock, by whoever's call
    /// ended the session; it must not block.
    package typealias RemovalObserver = @Sendable (Session<Settings>, RemovalReason) -> Void

    typealias Table = SessionTable<Settings, C.Instant>

    let clock: C
    let archive: (any SessionArchive<Settings>)?
    /// The archive, where it is a store that daemons share.
    let shared: SharedArchive<Settings>?
    private let table: Guarded<Table>
    /// What the accounts of the owners hold for their sessions.
    private let holds = Guarded<[String: (sessions: Hold, bytes: Hold)]>([:])
    private let accounts: Accounts?
    private let wall: @Sendable () -> WallTime
    private let makeID: @Sendable () -> SessionID
    private let onRemoval: RemovalObserver

    /// An empty store.
    ///
    /// - Parameters:
    ///   - clock: measures idle time.
    ///   - wall: the time of day, for what is shown and written down.
    ///   - archive: where sessions are written down; nil keeps them in memory alone.
    ///   - accounts: show what every owner has; the limits decide what it may have.
    ///   - makeID: makes ids that no one can guess.
    ///   - onRemoval: is told of every session that ends.
    /// - Throws: `invalidArgument` for limits that make no sense.
    package init(
        limits: SessionLimits, clock: C, wall: @escaping @Sendable () -> WallTime = WallTime.now,
        archive: (any SessionArchive<Settings>)? = nil, accounts: Accounts? = nil,
        makeID: @escaping @Sendable () -> SessionID = { SessionID.random() },
        onRemoval: @escaping RemovalObserver = { _, _ in }
    ) throws(RequestError) {
        try limits.validate()
        table = Guarded(Table(limits: limits))
        self.clock = clock
        self.wall = wall
        self.archive = archive
        shared = archive as? SharedArchive<Settings>
        self.accounts = accounts
        self.makeID = makeID
        self.onRemoval = onRemoval
    }

    /// Makes a session, giving up idle ones for it where the limits say so.
    ///
    /// - Throws: `invalidArgument`; `resourceExhausted` with the bound.
    package func create(
        _ draft: SessionDraft<Settings>, owner: String
    ) async throws(RequestError) -> Session<Settings> {
        try await findChosen(draft, owner: owner)
        let id = makeID()
        let session = try step { (table, now) throws(RequestError) in
            try table.create(draft, id: id, owner: owner, at: now)
        }
        await archive?.settle(session.id)
        try checkName(of: session)
        return session
    }

    /// A session of this identity. To look at it does not count as use.
    ///
    /// - Throws: `notFound` for sessions that are unknown, another's, expired or gone alike.
    package func session(
        _ id: SessionID, owner: String
    ) throws(RequestError) -> Session<Settings> {
        try step { (table, now) throws(RequestError) in
            try table.session(id, owner: owner, at: now)
        }
    }

    /// The id of a session by its name, `sessions/…`.
    ///
    /// - Throws: `invalidArgument` for a text that is no session's name, and `notFound` for an id that this
    ///   client did not choose.
    package func id(named name: String, owner: String) throws(RequestError) -> SessionID {
        if let id = table.withLock({ $0.id(named: name, owner: owner) }) { return id }
        let word =
            name.hasPrefix(SessionID.collection)
            ? name.dropFirst(SessionID.collection.count) : ""
        guard SessionText.isChosenID(word) else {
            throw RequestError(
                .invalidArgument,
                "a session's name, sessions/…, expected, but \(SessionText.quoted(name)) came",
                at: "session")
        }
        throw RequestError(
            .notFound, "there is no session \(name) of this client's", at: "session")
    }

    /// The session that this daemon has for an owner under a name; nil where it has none.
    func held(_ name: String, owner: String) -> SessionID? {
        table.withLock { table in
            guard let id = table.id(named: name, owner: owner),
                table.entries[id]?.session.owner == owner
            else { return nil }
            return id
        }
    }

    /// Whether there is such a session, whoever's it is.
    package func contains(_ id: SessionID) -> Bool { table.withLock { $0.entries[id] != nil } }

    /// A page of this identity's sessions, in the order of their creation. A session that exists
    /// from the first page to the last is listed exactly once.
    ///
    /// - Parameters:
    ///   - pageSize: how many at most; 0 for the default.
    ///   - pageToken: what the page before came with; nil or empty for the first.
    /// - Throws: `invalidArgument`.
    package func sessions(
        of owner: String, pageSize: Int = 0, pageToken: String? = nil
    ) throws(RequestError) -> SessionPage<Settings> {
        try step { (table, now) throws(RequestError) in
            try table.page(owner: owner, size: pageSize, token: pageToken, at: now)
        }
    }

    /// Changes a session; this counts as use.
    ///
    /// - Throws: `notFound`, `invalidArgument`, `aborted` for an outdated revision.
    package func update(
        _ id: SessionID, owner: String, with update: SessionUpdate<Settings>
    ) async throws(RequestError) -> Session<Settings> {
        for _ in 0..<3 {
            let session = try step { (table, now) throws(RequestError) in
                try table.update(id, owner: owner, with: update, at: now)
            }
            await archive?.settle(id)
            guard let shared, shared.isOutdated(id) else { return session }
            // Another daemon changed it meanwhile.
            _ = try await find(named: session.name, owner: owner)
        }
        throw RequestError(
            .aborted,
            "the session is changed by others all the time; read it again, and repeat the change",
            at: "etag")
    }

    /// Ends a session. A use that is under way keeps what it holds until it is released.
    ///
    /// - Throws: `notFound`, and `aborted` for an outdated revision.
    package func delete(
        _ id: SessionID, owner: String, expectedRevision: UInt64? = nil
    ) async throws(RequestError) {
        try step { (table, now) throws(RequestError) in
            try table.delete(id, owner: owner, expectedRevision: expectedRevision, at: now)
        }
        await archive?.settle(id)
    }

    /// Puts a session to use; the lease keeps it from expiring and from being given up.
    ///
    /// - Throws: `notFound`.
    package func acquire(
        _ id: SessionID, owner: String
    ) throws(RequestError) -> SessionLease<Settings> {
        let (number, session) = try step { (table, now) throws(RequestError) in
            try table.acquire(id, owner: owner, at: now)
        }
        return SessionLease(
            session: session,
            giveBack: { [self] in step { table, now in _ = table.release(number, at: now) } },
            checkRevoked: { [self] in table.withLock { $0.isRevoked(number) } },
            countFrames: { [self] frames in
                table.withLock { $0.count(frames: frames, by: number) }
            })
    }

    /// The limits; new ones take effect with the next session.
    package var limits: SessionLimits { table.withLock { $0.limits } }

    /// Takes other limits from now on. Sessions that exist keep their time to live, and are given
    /// up only when a new one needs room.
    ///
    /// - Throws: `invalidArgument` for limits that make no sense; the old ones stay.
    package func adopt(_ limits: SessionLimits) throws(RequestError) {
        try limits.validate()
        table.withLock { $0.limits = limits }
    }

    /// What the store holds, and what became of sessions so far.
    package var statistics: SessionStatistics { table.withLock { $0.statistics } }

    /// Has an owner's account show what the owner has.
    private func show(_ usage: (owner: String, sessions: Int, bytes: Int)) {
        guard let account = accounts?.account(of: .identity(usage.owner)) else { return }
        holds.withLock { holds in
            let hold =
                holds[usage.owner] ?? (account.note(.sessions, 0), account.note(.sessionBytes, 0))
            hold.sessions.note(usage.sessions)
            hold.bytes.note(usage.bytes)
            holds[usage.owner] = usage.sessions == 0 && usage.bytes == 0 ? nil : hold
        }
    }

    /// One step of the table at the present time, and what follows from it.
    func step<Value, E: Error>(
        _ body: (inout Table, Moment<C.Instant>) throws(E) -> Value
    ) throws(E) -> Value {
        // The clocks are read under the lock, so the table's time never runs backwards, and the
        // archive is told under the lock, so it hears of changes in their order.
        let (result, actions) = table.withLock { table in
            // Milliseconds are what a record keeps: a session is dated the same after a restart.
            let now = Moment(
                instant: clock.now, wall: WallTime(milliseconds: wall().milliseconds))
            let result: Result<Value, E>
            do throws(E) {
                result = .success(try body(&table, now))
            } catch {
                result = .failure(error)
            }
            let actions = table.takeActions()
            archive?.perform(actions)
            for usage in table.takeChangedUsage() { show(usage) }
            return (result, actions)
        }
        for case .remove(let session, let reason) in actions { onRemoval(session, reason) }
        return try result.get()
    }
}
