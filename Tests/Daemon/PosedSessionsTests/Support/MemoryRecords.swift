import PosedGuarded
import PosedSessions

/// A shared store in memory, which fails as a test wants.
final class MemoryRecords: SharedRecords {
    struct Record: Sendable {
        var version: String
        var record: [UInt8] = []
        var pictures: [UInt8] = []
        var timeToLive: Duration
    }

    private struct State {
        var records: [String: Record] = [:]
        var lists: [String: Set<String>] = [:]
        var failure: StorageError.Code?
        /// Whether writes take effect while their answers are lost.
        var losesAnswers = false
        var lookups = 0
        var pictureBytes = 0
        /// How long a step takes.
        var delay = Duration.zero
    }

    private let state = Guarded(State())

    let place = "memory"

    /// What every step throws; nil: nothing.
    var failure: StorageError.Code? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }
    var losesAnswers: Bool {
        get { state.withLock { $0.losesAnswers } }
        set { state.withLock { $0.losesAnswers = newValue } }
    }
    var delay: Duration {
        get { state.withLock { $0.delay } }
        set { state.withLock { $0.delay = newValue } }
    }
    /// How often something was looked up.
    var lookups: Int { state.withLock { $0.lookups } }
    /// Bytes of pictures that were written so far.
    var pictureBytes: Int { state.withLock { $0.pictureBytes } }
    var keys: [String] { state.withLock { $0.records.keys.sorted() } }

    /// Changes what is kept, as nobody should.
    func tamper(_ change: @Sendable (inout [String: Record]) -> Void) {
        state.withLock { change(&$0.records) }
    }

    private func arrive() async throws(StorageError) {
        let delay = delay
        if delay > .zero { try? await Task.sleep(for: delay) }
        if let failure { throw StorageError(failure, "the test's store fails") }
    }

    func find(_ key: String, unless version: String) async throws(StorageError) -> SharedFinding {
        state.withLock { $0.lookups += 1 }
        try await arrive()
        return state.withLock { state in
            guard let record = state.records[key] else { return .absent }
            if record.version == "removed" { return .removed }
            if record.version == version { return .same }
            return .record(
                version: record.version, record: record.record, pictures: record.pictures,
                timeLeft: record.timeToLive)
        }
    }

    func write(
        _ place: SharedPlace, _ change: SharedChange
    ) async throws(StorageError) -> SharedOutcome {
        try await arrive()
        let (outcome, isLost) = state.withLock { state -> (SharedOutcome, Bool) in
            var found = state.records[place.key]
            if found?.version == "removed", change.base.isEmpty { found = nil }
            if let found, found.version != change.base, !found.version.hasSuffix(change.writer) {
                return (.conflict, false)
            }
            guard let pictures = change.pictures ?? found?.pictures else {
                return (.incomplete, false)
            }
            state.pictureBytes += change.pictures?.count ?? 0
            state.lists[place.list, default: []].insert(place.entry)
            state.records[place.key] = Record(
                version: change.version, record: change.record, pictures: pictures,
                timeToLive: change.timeToLive)
            return (.written, state.losesAnswers)
        }
        if isLost { throw StorageError(.unreachable, "the answer was lost") }
        return outcome
    }

    func remove(
        _ place: SharedPlace, of id: SessionID, noting duration: Duration
    ) async throws(StorageError) {
        try await arrive()
        state.withLock { state in
            let found = state.records[place.key]?.version ?? "removed"
            guard found == "removed" || found.hasPrefix("\(id)-") else { return }
            state.lists[place.list]?.remove(place.entry)
            state.records[place.key] = Record(version: "removed", timeToLive: duration)
        }
    }

    func entries(
        of list: String, after text: String, limit: Int
    ) async throws(StorageError) -> [String] {
        try await arrive()
        return state.withLock { state in
            Array((state.lists[list] ?? []).sorted().filter { $0 > text }.prefix(limit))
        }
    }
}
