import PosedBackend
import PosedGuarded
package import PosedSessions
import PosedTensor

/// A place for bytes that is still there after the process was killed, such as the service manager's store of
/// descriptors. Any thread may call it.
package protocol RestartStore: Sendable {
    /// What an earlier process left.
    var inherited: [InheritedBytes] { get }

    /// Keeps bytes under a name until ``remove(_:)``.
    ///
    /// - Throws: why they are not kept.
    func insert(_ parts: [[UInt8]], as name: String) throws

    /// Gives up what is kept under a name.
    func remove(_ name: String)
}

/// Bytes that an earlier process left.
package struct InheritedBytes: Sendable {
    package let name: String
    package let byteCount: Int
    /// Reads all of them. They are the same each time.
    package let read: @Sendable () throws -> [UInt8]

    /// Bytes under a name.
    package init(
        name: String, byteCount: Int, read: @escaping @Sendable () throws -> [UInt8]
    ) {
        self.name = name
        self.byteCount = byteCount
        self.read = read
    }
}

/// Encoded sources of sessions, saved for the process that comes after this one.
///
/// A source is saved once, when it was encoded for a session and the lane has time, and given up with that session.
/// Where there are too many, those go that were saved or taken in longest ago. What an earlier process left is checked
/// at the start, and whatever is not exactly what an equal daemon wrote is set aside with a line in the log.
package final class SavedSources: Sendable {
    private struct Entry {
        let session: SessionID
        let name: String
        let byteCount: Int
        /// Where an earlier process left it; nil for one that this process has saved.
        let inherited: InheritedBytes?
    }

    private struct State {
        var entries: [ContentKey: Entry] = [:]
        var order = RecencyList<ContentKey>()
        var byteCount = 0
        var byteLimit: Int
        /// Nothing is saved before that: the store refused.
        var pausedUntil: ContinuousClock.Instant?

        mutating func remove(_ key: ContentKey) -> String? {
            guard let entry = entries.removeValue(forKey: key) else { return nil }
            order.remove(key)
            byteCount -= entry.byteCount
            return entry.name
        }

        mutating func insert(_ entry: Entry, for key: ContentKey) {
            entries[key] = entry
            order.use(key)
            byteCount += entry.byteCount
        }

        /// Makes room; the names of what is given up.
        mutating func shrink(toBytes bytes: Int, entries most: Int) -> [String] {
            var names: [String] = []
            while byteCount > max(0, bytes) || entries.count > most, let oldest = order.oldest {
                if let name = remove(oldest) { names.append(name) }
            }
            return names
        }
    }

    /// The most sources; `FileDescriptorStoreMax=` of posed.service is not less.
    package static let mostEntries = 512
    /// How long nothing is saved after the store has refused: so often at most the log says so.
    private static let pause = Duration.seconds(60)

    private let store: any RestartStore
    private let fingerprint: ContentKey
    private let report: @Sendable (ArchiveReport) -> Void
    private let state: Guarded<State>

    /// The sources in a store.
    ///
    /// - Parameters:
    ///   - fingerprint: of all that encoded sources depend on besides their keys.
    ///   - byteLimit: the most bytes of all together; 0 saves none.
    ///   - onReport: told what an operator should know; from any thread.
    package init(
        _ store: any RestartStore, fingerprint: ContentKey, byteLimit: Int,
        onReport: @escaping @Sendable (ArchiveReport) -> Void
    ) {
        self.store = store
        self.fingerprint = fingerprint
        report = onReport
        state = Guarded(State(byteLimit: byteLimit))
    }

    /// The most bytes of all together. A lower limit takes effect at once.
    package var byteLimit: Int {
        get { state.withLock { $0.byteLimit } }
        set {
            let gone = state.withLock { state in
                state.byteLimit = newValue
                return state.shrink(toBytes: newValue, entries: Self.mostEntries)
            }
            for name in gone { store.remove(name) }
        }
    }

    /// Sources and bytes that are saved.
    package var statistics: (entries: Int, byteCount: Int) {
        state.withLock { ($0.entries.count, $0.byteCount) }
    }

    /// Checks what an earlier process left, and remembers what can be used.
    package func adoptInherited() {
        var count = 0
        for bytes in store.inherited {
            do {
                guard let (session, key) = Self.parse(bytes.name) else {
                    throw StorageError(.damaged, "its name is not of this daemon's making")
                }
                let limit = byteLimit
                guard bytes.byteCount <= limit else {
                    throw StorageError(
                        .damaged, "it has \(bytes.byteCount) bytes, and \(limit) are allowed")
                }
                guard try SourceFile(bytes.read(), fingerprint: fingerprint).key == key else {
                    throw StorageError(.damaged, "its key is not the one in its name")
                }
                let gone = state.withLock { state in
                    let gone = state.shrink(
                        toBytes: state.byteLimit - bytes.byteCount, entries: Self.mostEntries - 1)
                    state.insert(
                        Entry(
                            session: session, name: bytes.name, byteCount: bytes.byteCount,
                            inherited: bytes), for: key)
                    return gone
                }
                for name in gone { store.remove(name) }
                count += 1
            } catch {
                setAside(name: bytes.name, "\(error)")
            }
        }
        if count > 0 {
            report(
                ArchiveReport(notice: "\(count) encoded sources of an earlier process are there"))
        }
    }

    /// Takes the place of a source that is to be saved; false where it was saved before, or is too large.
    func reserve(_ key: ContentKey, of session: SessionID, byteCount: Int) -> Bool {
        let (isNew, gone) = state.withLock { state -> (Bool, [String]) in
            guard state.entries[key] == nil, byteCount <= state.byteLimit,
                state.pausedUntil.map({ $0 <= .now }) ?? true
            else { return (false, []) }
            let gone = state.shrink(
                toBytes: state.byteLimit - byteCount, entries: Self.mostEntries - 1)
            state.insert(
                Entry(
                    session: session, name: Self.name(session, key), byteCount: byteCount,
                    inherited: nil), for: key)
            return (true, gone)
        }
        for name in gone { store.remove(name) }
        return isNew
    }

    /// Saves a source whose place was taken. Takes milliseconds for each megabyte; not for a lane's thread.
    func save(_ key: ContentKey, _ tensors: Result<[HostTensor?], any Error>) {
        guard let name = state.withLock({ $0.entries[key]?.name }) else { return }
        do {
            let file = SourceFile(key: key, tensors: try tensors.get())
            try store.insert(file.encoded(fingerprint: fingerprint), as: name)
            // Its session may have ended meanwhile.
            if state.withLock({ $0.entries[key] == nil }) { store.remove(name) }
        } catch {
            let isFirst = state.withLock { state in
                _ = state.remove(key)
                defer { state.pausedUntil = .now + Self.pause }
                return state.pausedUntil.map { $0 <= .now } ?? true
            }
            guard isFirst else { return }
            report(
                ArchiveReport(
                    .unwritable,
                    "encoded sources will not survive a restart for a minute or more: \(error)"))
        }
    }

    /// The source that an earlier process saved under a key; nil where there is none.
    func load(_ key: ContentKey) async -> [HostTensor?]? {
        guard let inherited = state.withLock({ $0.entries[key]?.inherited }) else { return nil }
        let found = await HostWork.run { [fingerprint] in
            Result {
                try SourceFile(inherited.read(), fingerprint: fingerprint).tensors()
            }
        }
        switch found {
        case .success(let tensors):
            state.withLock { if $0.entries[key] != nil { $0.order.use(key) } }
            return tensors
        case .failure(let error):
            setAside(key, "\(error)")
            return nil
        }
    }

    /// Gives up a source that cannot be used.
    func setAside(_ key: ContentKey, _ reason: String) {
        if let name = state.withLock({ $0.remove(key) }) { setAside(name: name, reason) }
    }

    /// Gives up what was saved for a session that has ended.
    func forget(_ session: SessionID) { forget { $0 == session } }

    /// Gives up what was saved for sessions that have ended.
    func forget(_ hasEnded: (SessionID) -> Bool) {
        let gone = state.withLock { state in
            state.entries.filter { hasEnded($0.value.session) }.keys.compactMap {
                state.remove($0)
            }
        }
        for name in gone { store.remove(name) }
    }

    private func setAside(name: String, _ reason: String) {
        store.remove(name)
        report(
            ArchiveReport(
                .damaged, "'\(name)', which an earlier process left, is set aside: \(reason)"))
    }

    private static let prefix = "source-"

    private static func name(_ session: SessionID, _ key: ContentKey) -> String {
        "\(prefix)\(session)-\(key)"
    }

    private static func parse(_ name: String) -> (SessionID, ContentKey)? {
        guard name.hasPrefix(prefix) else { return nil }
        let words = name.dropFirst(prefix.count).split(separator: "-")
        guard words.count == 2, let session = SessionID(words[0]),
            let key = ContentKey(String(words[1]))
        else { return nil }
        return (session, key)
    }
}

extension SourceFile {
    /// A source of tensors in the host's memory.
    init(key: ContentKey, tensors: [HostTensor?]) {
        self.init(
            key: key,
            parts: tensors.map { tensor in
                tensor.map { Part(type: $0.dtype.rawValue, shape: $0.shape, elements: $0.bytes) }
            })
    }

    /// Its tensors.
    ///
    /// - Throws: `damaged` for one that has not the elements that it says.
    func tensors() throws(StorageError) -> [HostTensor?] {
        try parts.map { (part) throws(StorageError) in
            guard let part else { return nil }
            guard let type = DType(rawValue: part.type),
                let tensor = HostTensor(dtype: type, shape: part.shape, bytes: part.elements)
            else {
                throw StorageError(.damaged, "a tensor has not the elements that it says")
            }
            return tensor
        }
    }
}
