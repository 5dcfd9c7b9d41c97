/// The steps that keeping sessions in a shared store takes, one by one, so that each can fail in a test.
///
/// A key stands for one name of one identity. A record has a version; each change of the session makes a new one, and a
/// write says which version it is based on. Each identity has a list of what is kept for it. Every step is one round
/// trip and takes effect as a whole or not at all.
package protocol SharedRecords: Sendable {
    /// Where the records are, for messages.
    var place: String { get }

    /// What is kept under a key.
    ///
    /// - Parameter version: the version that the caller has; its record does not come again.
    /// - Throws: `unreachable`, and what the store refuses.
    func find(_ key: String, unless version: String) async throws(StorageError) -> SharedFinding

    /// Keeps a record.
    ///
    /// - Throws: `unreachable`, `diskFull`, `readOnly`, `unwritable`.
    func write(
        _ place: SharedPlace, _ change: SharedChange
    ) async throws(StorageError) -> SharedOutcome

    /// Removes a session's record, and notes for a while that it was removed. Another session's of the same key stays.
    ///
    /// - Throws: as ``write(_:_:)``.
    func remove(
        _ place: SharedPlace, of id: SessionID, noting duration: Duration
    ) async throws(StorageError)

    /// Entries of a list behind a text, in the order of their bytes, at most so many.
    func entries(
        of list: String, after text: String, limit: Int
    ) async throws(StorageError) -> [String]
}

/// Where a session is kept.
package struct SharedPlace: Hashable, Sendable {
    /// The key of its record.
    package var key: String
    /// The key of its identity's list.
    package var list: String
    /// What stands for it there.
    package var entry: String

    /// A place as given.
    package init(key: String, list: String, entry: String) {
        self.key = key
        self.list = list
        self.entry = entry
    }
}

/// What a store keeps under a key.
package enum SharedFinding: Hashable, Sendable {
    /// Nothing.
    case absent
    /// A note that the session was deleted.
    case removed
    /// The version that the caller has.
    case same
    /// A record, its pictures, and for how long the store keeps them unless it is written before.
    case record(version: String, record: [UInt8], pictures: [UInt8], timeLeft: Duration)
}

/// A record to be written.
package struct SharedChange: Hashable, Sendable {
    /// The version that must be there, or nothing at all; empty for a session that is new to the store.
    package var base: String
    /// The version that the record has; it ends with `writer`.
    package var version: String
    /// The process that writes. It writes one change after another, so a version of its own that is there is an earlier
    /// change whose answer was lost.
    package var writer: String
    package var record: [UInt8]
    /// Nil leaves those that are there.
    package var pictures: [UInt8]?
    /// For how long the store keeps the record unless it is written again.
    package var timeToLive: Duration

    /// A change as given.
    package init(
        base: String, version: String, writer: String, record: [UInt8], pictures: [UInt8]?,
        timeToLive: Duration
    ) {
        self.base = base
        self.version = version
        self.writer = writer
        self.record = record
        self.pictures = pictures
        self.timeToLive = timeToLive
    }
}

/// What became of a write.
package enum SharedOutcome: Hashable, Sendable {
    case written
    /// Nothing is there, and no pictures came along: write it again, with them.
    case incomplete
    /// Another process's version is there, or a note that the session was deleted; nothing was changed.
    case conflict
}
