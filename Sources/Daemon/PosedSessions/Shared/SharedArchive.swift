import Dispatch
import PosedBase
import PosedGuarded

/// Keeps sessions in a store that several daemons share.
///
/// The table is then a cache of the store: a session that the daemon has in memory goes on while the store is away,
/// and is written when it is back. A session is written as a whole or not at all, and only over the version that this
/// daemon knows, so of two daemons that change a session at the same time one is told so.
package final class SharedArchive<Settings: SessionSettings>: SessionArchive, SavingArchive {
    /// What is known of a session's record.
    private struct Known: Sendable {
        var place: SharedPlace
        var timeToLive: Duration
        /// The version that the store has, as far as this daemon knows; empty where it has none.
        var base = ""
        /// Whether the store has a version of somebody else's.
        var isOutdated = false
        /// Whether the table has it no more; the note goes when it is written or removed.
        var hasLeft = false
        /// When it was last compared with the store's.
        var compared: ContinuousClock.Instant?
    }

    private struct State {
        var progress = SaveProgress<Settings>()
        var known: [SessionID: Known] = [:]
        /// Keys of sessions that were deleted here, until the store knows.
        var deleting: [String: SessionID] = [:]
    }

    private let records: any SharedRecords
    private let timeout: Duration
    private let fresh: Duration
    private let onReport: @Sendable (ArchiveReport) -> Void
    private let thread = DispatchQueue(label: "posed.store", attributes: .concurrent)
    private let state = Guarded(State())
    /// Tells this process's versions from others' of the same number.
    private let nonce = SessionID.random().description

    /// An archive over a store.
    ///
    /// - Parameters:
    ///   - timeout: the longest that anybody waits for the store.
    ///   - fresh: for how long a session is not compared with the store's again.
    ///   - onReport: is told what an operator should know.
    package init(
        _ records: any SharedRecords, timeout: Duration, fresh: Duration = .milliseconds(100),
        onReport: @escaping @Sendable (ArchiveReport) -> Void
    ) {
        self.records = records
        self.timeout = timeout
        self.fresh = fresh
        self.onReport = onReport
    }

    /// Whether sessions of an identity are shared: a user's number means the same person on one machine only.
    package static func shares(_ owner: String) -> Bool { !owner.hasPrefix("unix:") }

    /// How writing goes.
    package var statistics: ArchiveStatistics { state.withLock { $0.progress.statistics } }

    func withProgress<Value: Sendable>(_ body: (inout SaveProgress<Settings>) -> Value) -> Value {
        state.withLock { body(&$0.progress) }
    }

    package func perform(_ actions: [SessionAction<Settings>]) {
        let begins = state.withLock { state in
            for action in actions { Self.note(action, &state) }
            return state.progress.begins()
        }
        if begins { work() }
    }

    package func retry() {
        let begins = withProgress { progress in
            progress.queue.retry()
            return progress.begins()
        }
        if begins { work() }
    }

    package func settle(_ id: SessionID) async {
        await wait(atMost: timeout) { queue, waiter in queue.wait(waiter, for: id) }
    }

    package func settleAll() async {
        // At the end of the daemon many sessions may have to be written, one after another.
        await wait(atMost: timeout * 20) { queue, waiter in queue.waitForAll(waiter) }
    }

    /// None: sessions are looked up when they are asked for.
    package func restore() async -> [Session<Settings>] { [] }

    package func report(noRoomFor session: Session<Settings>) {}

    private static func note(_ action: SessionAction<Settings>, _ state: inout State) {
        switch action {
        case .save(let session):
            guard shares(session.owner) else { return }
            var known =
                state.known[session.id]
                ?? Known(place: SharedPlace(session), timeToLive: session.timeToLive)
            known.timeToLive = session.timeToLive
            guard !known.isOutdated else { return state.known[session.id] = known }
            state.known[session.id] = known
            state.progress.queue.add(.save(session))
        case .remove(let session, .deleted):
            guard shares(session.owner) else { return }
            let place = SharedPlace(session)
            state.known[session.id] = Known(
                place: place, timeToLive: session.timeToLive, hasLeft: true)
            state.deleting[place.key] = session.id
            state.progress.queue.add(.remove(session.id))
        case .remove(let session, _):
            // The store forgets it by itself, unless another daemon uses it.
            guard shares(session.owner) else { return }
            state.progress.queue.forget(session.id)
            if state.progress.queue.isPending(session.id) {
                state.known[session.id]?.hasLeft = true
            } else {
                state.known[session.id] = nil
            }
        }
    }
}

// MARK: Writing

extension SharedArchive {
    private func work() {
        Task.detached { [self] in
            while let work = withProgress({ $0.next() }) {
                let result: Result<SharedOutcome, StorageError>
                do throws(StorageError) {
                    result = .success(try await perform(work))
                } catch {
                    result = .failure(error)
                }
                finish(work, result)
            }
        }
    }

    private func perform(
        _ work: SaveQueue<Settings>.Work
    ) async throws(StorageError) -> SharedOutcome {
        guard let known = state.withLock({ $0.known[work.id] }) else { return .written }
        switch work {
        case .remove(let id):
            try await records.remove(known.place, of: id, noting: known.timeToLive)
            return .written
        case .save(let session):
            var change = try await encoded(session, base: known.base)
            var outcome = try await records.write(known.place, change)
            if outcome == .incomplete {
                change.pictures = await onThread { Self.pictures(of: session) }
                outcome = try await records.write(known.place, change)
            }
            return outcome
        }
    }

    private func encoded(
        _ session: Session<Settings>, base: String
    ) async throws(StorageError) -> SharedChange {
        let record = await onThread {
            Result { () throws(StorageError) in
                try SessionRecord(session).file(fingerprint: .anyModel).encoded().flatMap(\.self)
            }
        }
        var pictures: [UInt8]?
        if base.isEmpty { pictures = await onThread { Self.pictures(of: session) } }
        return SharedChange(
            base: base, version: version(of: session), writer: nonce, record: try record.get(),
            pictures: pictures,
            timeToLive: session.timeToLive + Self.lag(session.timeToLive))
    }

    private static func pictures(of session: Session<Settings>) -> [UInt8] {
        SourcePicture.file(session.pictures, fingerprint: .anyModel).encoded().flatMap(\.self)
    }

    /// The version that a session's record gets from this process.
    private func version(of session: Session<Settings>) -> String {
        "\(session.id)-\(session.revision)-\(nonce)"
    }

    /// By how much the last use in the store may lag behind the true one.
    private static func lag(_ timeToLive: Duration) -> Duration {
        SessionTable<Settings, ContinuousClock.Instant>.recordInterval(timeToLive)
    }

    private func finish(
        _ work: SaveQueue<Settings>.Work, _ result: Result<SharedOutcome, StorageError>
    ) {
        let (report, waiters) = state.withLock { state in
            var isDone = false
            if case .success = result { isDone = true }
            let waiters = state.progress.finish(success: isDone)
            let report = note(result, of: work, &state)
            if isDone, state.known[work.id]?.hasLeft == true,
                !state.progress.queue.isPending(work.id)
            {
                state.known[work.id] = nil
            }
            return (report, waiters)
        }
        if let report { onReport(report) }
        for waiter in waiters { waiter.resume() }
    }

    /// Takes note of what became of a work, and says what is worth a report.
    private func note(
        _ result: Result<SharedOutcome, StorageError>, of work: SaveQueue<Settings>.Work,
        _ state: inout State
    ) -> ArchiveReport? {
        switch (result, work) {
        case (.success(.written), .save(let session)):
            state.progress.counts.saves += 1
            state.known[work.id]?.base = version(of: session)
            state.known[work.id]?.compared = .now
        case (.success(.written), .remove(let id)):
            state.progress.counts.removals += 1
            state.deleting = state.deleting.filter { $0.value != id }
        case (.success, _):
            state.known[work.id]?.isOutdated = true
            return ArchiveReport(
                notice: "\(work.id.name): was changed by another daemon, whose change stays",
                session: work.id)
        case (.failure(let failure), _):
            guard state.progress.isNews(failure.code) else { return nil }
            return ArchiveReport(
                failure.code,
                "\(work.id.name): cannot be stored, as may others; it is in this daemon's memory, and is stored "
                    + "when that works again: \(failure.message)", session: work.id)
        }
        guard state.progress.isNews(nil) else { return nil }
        return ArchiveReport(notice: "sessions are stored again at \(records.place)")
    }

    /// Says whether the store can be reached, and writes what is missing there where it can.
    package func reachable(_ reason: StorageError?) {
        if let reason {
            onReport(
                ArchiveReport(
                    reason.code,
                    "the store of sessions is away; those in memory go on: \(reason.message)"))
        } else {
            onReport(ArchiveReport(notice: "the store of sessions, \(records.place), is there"))
            retry()
        }
    }

    /// Runs work on a thread that may take its time.
    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            thread.async { continuation.resume(returning: body()) }
        }
    }
}

// MARK: Looking up

extension SharedArchive {
    /// What the store says of a session.
    package enum Finding: Sendable {
        /// The session is as this daemon has it.
        case current
        /// It is so, and was idle for that long.
        case session(Session<Settings>, idle: Duration)
        /// It was deleted.
        case removed
        /// The store knows nothing of it.
        case absent
    }

    /// Whether the store has a version of a session that is not this daemon's.
    package func isOutdated(_ id: SessionID) -> Bool {
        state.withLock { $0.known[id]?.isOutdated ?? false }
    }

    /// Sessions of which the store has a version that is not this daemon's.
    var outdated: [SessionID] {
        state.withLock { state in
            state.known.filter { $0.value.isOutdated && !$0.value.hasLeft }.map(\.key)
        }
    }

    /// Forgets a session that the table did not take.
    package func forget(_ id: SessionID) { state.withLock { $0.known[id] = nil } }

    /// Looks a session up.
    ///
    /// - Parameters:
    ///   - word: of its name, `sessions/{word}`.
    ///   - id: of the session that this daemon has under that name; nil where it has none.
    ///   - takes: whether the table will take what is found.
    /// - Throws: `unreachable` where the store does not answer; `damaged` where what it has is not what was written.
    package func find(
        _ word: String, owner: String, known id: SessionID?, takes: Bool = true
    ) async throws(StorageError) -> Finding {
        let key = SharedPlace.key(word, owner: owner)
        let (known, isDeleting) = state.withLock { state in
            (id.flatMap { state.known[$0] }, state.deleting[key] != nil)
        }
        if id == nil, isDeleting { return .removed }
        if let known, !known.isOutdated, let compared = known.compared,
            compared.duration(to: .now) < fresh
        {
            return .current
        }
        let base = known.map { $0.isOutdated ? "" : $0.base } ?? ""
        switch try await records.find(key, unless: base) {
        case .absent:
            // What this daemon has is written as a whole.
            if let id {
                state.withLock { state in
                    state.known[id]?.base = ""
                    state.known[id]?.isOutdated = false
                }
            }
            return .absent
        case .removed: return .removed
        case .same:
            if let id { state.withLock { $0.known[id]?.compared = .now } }
            return .current
        case .record(let version, let record, let pictures, let timeLeft):
            // Written by this process: the answer is on its way, or was lost.
            if let id, version.hasPrefix("\(id)-"), version.hasSuffix(nonce) {
                state.withLock { $0.known[id]?.base = version }
                return .current
            }
            let decoded = await onThread { [self] in
                Result { () throws(StorageError) in
                    try restored(record, pictures, key: key, word: word, owner: owner)
                }
            }
            let session = try decoded.get()
            if takes {
                state.withLock { state in
                    state.known[session.id] = Known(
                        place: SharedPlace(session), timeToLive: session.timeToLive,
                        base: version, compared: .now)
                }
            }
            // The store keeps a record for longer than the session lives, by as much as a written use may lag.
            return .session(session, idle: max(.zero, session.timeToLive - timeLeft))
        }
    }

    /// The session in a record that was found under a key.
    ///
    /// - Throws: `damaged` for one that is not as it was written, or another's.
    private func restored(
        _ record: [UInt8], _ pictures: [UInt8], key: String, word: String, owner: String
    ) throws(StorageError) -> Session<Settings> {
        do throws(StorageError) {
            let file = try StateFile(record, expecting: .session)
            let written = try SessionRecord<Settings>(file)
            guard let id = SessionID(written.id) else {
                throw StateFile.damage("its id is none")
            }
            let session = try written.session(
                id: id,
                pictures: SourcePicture.pictures(in: StateFile(pictures, expecting: .pictures)))
            guard session.owner == owner, session.word == word else {
                throw StateFile.damage("it is another session's")
            }
            return session
        } catch {
            let damage = StorageError(
                .damaged,
                "sessions/\(word): what is stored of it cannot be used, as \(error.message)")
            onReport(ArchiveReport(.damaged, "\(damage.message) (\(records.place), \(key))"))
            throw damage
        }
    }
}

extension SharedArchive {
    /// The places in a listing of an identity's sessions, and what stands in their names, in the order of listings.
    ///
    /// - Parameter position: behind which to begin; nil for the beginning.
    /// - Throws: `unreachable`, and what the store refuses.
    func list(
        _ owner: String, after position: PageToken.Position?, limit: Int
    ) async throws(StorageError) -> [(position: PageToken.Position, word: String)] {
        let entries = try await records.entries(
            of: SharedPlace.list(owner),
            // Behind every entry that begins with the position and a space.
            after: position.map { SharedPlace.text($0) + "~" } ?? "", limit: limit)
        return entries.compactMap { entry in
            let words = entry.split(separator: " ")
            guard words.count == 3, let created = Int64(words[0]), let id = SessionID(words[1])
            else { return nil }
            return (
                PageToken.Position(created: WallTime(milliseconds: created), id: id),
                String(words[2])
            )
        }
    }
}

extension SharedPlace {
    /// The place of a session.
    init<Settings>(_ session: Session<Settings>) {
        self.init(
            key: Self.key(session.word, owner: session.owner), list: Self.list(session.owner),
            entry: "\(Self.text(session.position)) \(session.word)")
    }

    /// The key of a session's name, `sessions/{word}`.
    static func key(_ word: String, owner: String) -> String {
        var hasher = ContentHasher(kind: "shared session")
        hasher.combine("owner", owner)
        hasher.combine("name", word)
        return "posed:session:\(hasher.key())"
    }

    /// The key of an identity's list.
    static func list(_ owner: String) -> String {
        var hasher = ContentHasher(kind: "shared list")
        hasher.combine("owner", owner)
        return "posed:list:\(hasher.key())"
    }

    /// A place in a listing as text of the same order.
    static func text(_ position: PageToken.Position) -> String {
        let digits = String(position.created.milliseconds)
        return String(repeating: "0", count: max(0, 15 - digits.count)) + digits
            + " \(position.id)"
    }
}

extension Session {
    /// What stands behind `sessions/` in its name.
    var word: String { chosenID ?? id.description }
}
