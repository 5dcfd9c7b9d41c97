import PosedGuarded
package import PosedSessions
import PosedTensor

/// Where several daemons keep encoded sources. Each step is one round trip.
package protocol SourceRecords: Sendable {
    /// What is kept under a key, which stays for that long from now on; nil where there is nothing.
    ///
    /// - Throws: `unreachable`, and what the store refuses.
    func source(
        _ key: String, keeping duration: Duration
    ) async throws(StorageError) -> [UInt8]?

    /// Keeps bytes under a key for that long.
    ///
    /// - Throws: `unreachable`, `diskFull`, `readOnly`, `unwritable`.
    func keep(
        _ bytes: [UInt8], as key: String, for duration: Duration
    ) async throws(StorageError)

    /// Removes what is kept under keys.
    ///
    /// - Throws: as ``keep(_:as:for:)``.
    func remove(_ keys: [String]) async throws(StorageError)
}

/// Encoded sources of sessions that several daemons share, so that a session which comes to another daemon is not encoded
/// anew there.
///
/// They are a convenience: where the store is away, full, or has none, the source is encoded. A source is used by daemons
/// whose version, models and numerics are those of the daemon that saved it, as the key is made of these; the owner is
/// part of it, too. What is damaged is reported and encoded anew.
package final class SharedSources: Sendable {
    private struct State {
        /// Sources that the store has, as far as this daemon knows.
        var stored: Set<ContentKey> = []
        /// Nothing is saved before that: the store refused.
        var pausedUntil: ContinuousClock.Instant?
    }

    /// Keys that are remembered; one that was forgotten is saved again.
    private static let mostKeys = 4096
    /// How long nothing is saved after the store has refused.
    private static let pause = Duration.seconds(60)

    private let records: any SourceRecords
    private let fingerprint: ContentKey
    private let duration: Duration
    private let report: @Sendable (ArchiveReport) -> Void
    private let state = Guarded(State())

    /// The sources in a store.
    ///
    /// - Parameters:
    ///   - fingerprint: of all that encoded sources depend on besides their keys.
    ///   - duration: how long a source is kept after it was saved or taken in.
    ///   - onReport: told what an operator should know; from any thread.
    init(
        _ records: any SourceRecords, fingerprint: ContentKey, keeping duration: Duration,
        onReport: @escaping @Sendable (ArchiveReport) -> Void
    ) {
        self.records = records
        self.fingerprint = fingerprint
        self.duration = duration
        report = onReport
    }

    /// Whether sources of an identity are shared.
    static func shares(_ owner: String) -> Bool {
        SharedArchive<SessionDefaults>.shares(owner)
    }

    /// Takes it upon the caller to save a source; false where the store has it, or refuses.
    func reserve(_ key: ContentKey, owner: String) -> Bool {
        guard Self.shares(owner) else { return false }
        return state.withLock { state in
            guard state.pausedUntil.map({ $0 <= .now }) ?? true else { return false }
            if state.stored.count >= Self.mostKeys { state.stored = [] }
            return state.stored.insert(key).inserted
        }
    }

    /// Saves a source that was reserved.
    func save(_ key: ContentKey, _ tensors: Result<[HostTensor?], any Error>) async {
        do {
            let file = SourceFile(key: key, tensors: try tensors.get())
            let bytes = await HostWork.run { [fingerprint] in
                file.encoded(fingerprint: fingerprint).flatMap(\.self)
            }
            try await records.keep(bytes, as: name(key), for: duration)
        } catch {
            let isFirst = state.withLock { state in
                state.stored.remove(key)
                defer { state.pausedUntil = .now + Self.pause }
                return state.pausedUntil.map { $0 <= .now } ?? true
            }
            guard isFirst else { return }
            report(
                ArchiveReport(
                    .unwritable, "encoded sources are not shared for a minute or more: \(error)"))
        }
    }

    /// The source that a daemon saved under a key; nil where there is none, or where it cannot be used.
    func load(_ key: ContentKey, owner: String) async -> [HostTensor?]? {
        guard Self.shares(owner),
            let bytes = try? await records.source(name(key), keeping: duration)
        else { return nil }
        let found = await HostWork.run { [fingerprint] in
            Result {
                let file = try SourceFile(bytes, fingerprint: fingerprint)
                guard file.key == key else {
                    throw StorageError(.damaged, "it is another source")
                }
                return try file.tensors()
            }
        }
        switch found {
        case .success(let tensors):
            _ = state.withLock { $0.stored.insert(key) }
            return tensors
        case .failure(let error):
            refuse(key, "\(error)")
            return nil
        }
    }

    /// Reports a source that cannot be used; the one that is encoded in its place is saved over it.
    func refuse(_ key: ContentKey, _ reason: String) {
        _ = state.withLock { $0.stored.remove(key) }
        report(
            ArchiveReport(.damaged, "an encoded source in the store cannot be used: \(reason)"))
    }

    /// Removes the sources of a session that was deleted. Those that cannot be removed stay until their time is over.
    func remove(_ keys: some Collection<ContentKey>, owner: String) {
        guard Self.shares(owner), !keys.isEmpty else { return }
        state.withLock { $0.stored.subtract(keys) }
        Task { [records, names = keys.map(name)] in try? await records.remove(names) }
    }

    private func name(_ key: ContentKey) -> String {
        var hasher = ContentHasher(kind: "shared source")
        hasher.combine("fingerprint", "\(fingerprint)")
        hasher.combine("source", "\(key)")
        return "posed:source:\(hasher.key())"
    }
}
