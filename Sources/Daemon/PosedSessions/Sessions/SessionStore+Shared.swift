package import PosedErrors

extension SessionStore {
    /// The id of a session by its name, `sessions/…`; where daemons share a store, brought up to date from there.
    ///
    /// - Throws: `invalidArgument` for a text that is no session's name, `notFound`, and `unavailable` where the store
    ///   cannot say whether there is such a session.
    package func find(named name: String, owner: String) async throws(RequestError) -> SessionID {
        guard let shared, SharedArchive<Settings>.shares(owner) else {
            return try id(named: name, owner: owner)
        }
        guard let word = SessionText.word(of: name) else {
            return try id(named: name, owner: owner)
        }
        let local = held(name, owner: owner)
        let finding: SharedArchive<Settings>.Finding
        do throws(StorageError) {
            finding = try await shared.find(word, owner: owner, known: local)
        } catch {
            if let local { return local }
            throw RequestError(lookup: error, name)
        }
        switch finding {
        case .current:
            if let local { return local }
            return try id(named: name, owner: owner)
        case .session(let session, let idle):
            do throws(RequestError) {
                try step { (table, now) throws(RequestError) in
                    try table.take(session, idle: idle, at: now)
                }
            } catch {
                shared.forget(session.id)
                throw error
            }
            return session.id
        case .removed:
            if let local { step { table, now in table.drop(local, at: now) } }
            return try id(named: name, owner: owner)
        case .absent:
            // The store has lost what this daemon has; or neither knows it.
            if let local { step { table, _ in table.rewrite(local) } }
            return try id(named: name, owner: owner)
        }
    }

    /// A page of this identity's sessions, as ``sessions(of:pageSize:pageToken:)`` gives it; where daemons share a store,
    /// of all of them. While the store is away it has those that this daemon has.
    ///
    /// - Throws: `invalidArgument`.
    package func page(
        of owner: String, pageSize: Int, pageToken: String?
    ) async throws(RequestError) -> SessionPage<Settings> {
        let here = try sessions(of: owner, pageSize: pageSize, pageToken: pageToken)
        guard let shared, SharedArchive<Settings>.shares(owner) else { return here }
        var start: PageToken?
        if let pageToken, !pageToken.isEmpty { start = try PageToken(pageToken, owner: owner) }
        typealias Page = SessionPage<Settings>
        let most = pageSize == 0 ? Page.defaultSize : min(pageSize, Page.greatestSize)
        guard
            let listed = try? await shared.list(owner, after: start?.position, limit: most + 1)
        else { return here }
        var found = here.sessions
        let known = Set(found.map(\.id))
        for (position, word) in listed.prefix(most) where !known.contains(position.id) {
            // One that has expired in the store is in the list for a while.
            let finding = try? await shared.find(word, owner: owner, known: nil, takes: false)
            guard case .session(let session, _)? = finding, session.id == position.id else {
                continue
            }
            found.append(session)
        }
        // What lies behind the part of the store's list that was looked through belongs to later pages.
        let bound = listed.count > most ? listed[most - 1].position : nil
        if let bound { found.removeAll { bound < $0.position } }
        found.sort { $0.position < $1.position }
        let isLast = bound == nil && here.nextToken == nil && found.count <= most
        let shown = found.prefix(most)
        let last = found.count >= most ? shown.last?.position : bound
        return Page(
            sessions: Array(shown),
            nextToken: isLast ? nil : last.map { PageToken(after: $0).text(owner: owner) },
            totalCount: here.totalCount)
    }

    /// Brings sessions up to date that another daemon has changed or ended, and that nobody has asked for since: a
    /// stream uses its session without asking.
    func refreshOutdated() async {
        for id in shared?.outdated ?? [] {
            guard let session = step({ table, _ in table.entries[id]?.session }) else { continue }
            _ = try? await find(named: session.name, owner: session.owner)
        }
    }

    /// Takes in the session of an id that a client chooses, where another daemon made it: the table then knows whether
    /// the id is taken, or the request a repeated one.
    func findChosen(_ draft: SessionDraft<Settings>, owner: String) async throws(RequestError) {
        guard shared != nil, let word = draft.chosenID, SessionText.isChosenID(word) else { return }
        do throws(RequestError) {
            _ = try await find(named: SessionID.collection + word, owner: owner)
        } catch {
            guard error.code == .notFound else { throw error }
        }
    }

    /// Throws `alreadyExists`, and gives a new session up, where another daemon made one of its name meanwhile.
    func checkName(of session: Session<Settings>) throws(RequestError) {
        guard let shared, shared.isOutdated(session.id), session.revision == 1 else { return }
        step { table, now in table.remove(session.id, .evicted, at: now) }
        throw RequestError(
            .alreadyExists, "there is a session \(session.name) already", at: "session_id")
    }
}

extension RequestError {
    /// What a client is told whose session could not be looked up.
    fileprivate init(lookup error: StorageError, _ name: String) {
        self =
            error.code == .damaged
            ? RequestError(
                .notFound, "\(name) cannot be used any more, as what was stored of it is damaged",
                at: "session", cause: error)
            : RequestError(
                .unavailable,
                "\(name) cannot be looked up at the moment, as the store of sessions is away",
                at: "session", retryAfter: .seconds(1), cause: error)
    }
}
