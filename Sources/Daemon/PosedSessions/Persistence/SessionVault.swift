/// The sessions in a state directory: two files each.
///
/// The pictures are written once, before the record that names them by their digest; a record is
/// written anew when it changes. A session is there when its record is: whatever step a process
/// dies at, it finds the session as it was before or as it was to be.
package struct SessionVault<Settings: SessionSettings>: Sendable {
    /// What was found in the directory.
    package struct Found: Sendable {
        /// Sessions whose files are whole.
        package var sessions: [Session<Settings>] = []
        /// What an operator should know.
        package var reports: [ArchiveReport] = []
        /// Files that were set aside.
        package var setAside = 0
    }

    /// The most bytes of a file that is read.
    static var greatestFileBytes: Int { 1 << 31 }
    /// The most files that are kept aside; more than those are removed.
    static var greatestSetAside: Int { 64 }

    private let files: any StateFiles
    /// What tells this model from others.
    var fingerprint: ContentKey
    /// Sessions whose pictures are in their place.
    private var hasPictures: Set<SessionID> = []
    /// Sessions whose record is in its place, or may be.
    private var mayHaveRecord: Set<SessionID> = []

    /// The vault in a directory.
    ///
    /// - Parameter fingerprint: what tells this model from others.
    package init(_ files: any StateFiles, fingerprint: ContentKey) {
        self.files = files
        self.fingerprint = fingerprint
    }

    /// Writes a session down. When this returns, the session would survive a loss of power; when it
    /// throws, what was written of it before is still there.
    ///
    /// - Throws: `diskFull`, `readOnly`, `unwritable`.
    package mutating func save(_ session: Session<Settings>) throws(StorageError) {
        let id = session.id
        let record = try SessionRecord(session).file(fingerprint: fingerprint)
        let isNew = !hasPictures.contains(id)
        if isNew {
            let file = SourcePicture.file(session.pictures, fingerprint: fingerprint)
            try files.replace(.pictures(id), with: file.encoded())
        }
        mayHaveRecord.insert(id)
        do throws(StorageError) {
            try files.replace(.session(id), with: record.encoded())
        } catch {
            if isNew { try? files.remove(.pictures(id)) }
            throw error
        }
        hasPictures.insert(id)
    }

    /// Removes what is written of a session. When this returns, it does not come back.
    ///
    /// - Throws: `readOnly`, `unwritable`.
    package mutating func remove(_ id: SessionID) throws(StorageError) {
        hasPictures.remove(id)
        guard mayHaveRecord.contains(id) else { return }
        try files.remove(.session(id))
        try files.synchronizeDirectory()
        mayHaveRecord.remove(id)
        try files.remove(.pictures(id))
    }

    /// Reads every session that is there, sets aside what is damaged, and clears away what a process
    /// left that died while it wrote.
    package mutating func restore() -> Found {
        var found = Found()
        let names: [StateFileName]
        do throws(StorageError) {
            names = try files.names().sorted().compactMap { StateFileName($0) }
        } catch {
            found.reports.append(
                ArchiveReport(error.code, "no session is restored: \(error.message)"))
            return found
        }
        var aside = names.count { if case .corrupt = $0 { true } else { false } }
        let before = aside
        var kept: Set<SessionID> = []
        for case .session(let id) in names {
            if let session = restore(id, aside: &aside, &found) { found.sessions.append(session) }
            kept.insert(id)
        }
        found.setAside = aside - before
        for name in names {
            switch name {
            case .unfinished: try? files.remove(name)
            case .pictures(let id) where !kept.contains(id): try? files.remove(name)
            default: break
            }
        }
        return found
    }

    private mutating func restore(
        _ id: SessionID, aside: inout Int, _ found: inout Found
    ) -> Session<Settings>? {
        do throws(StorageError) {
            let bytes = try files.read(.session(id), upTo: Self.greatestFileBytes)
            let file = try StateFile(bytes, expecting: .session)
            let record = try SessionRecord<Settings>(file, id: id)
            let session = try record.session(id: id, pictures: try restorePictures(id))
            hasPictures.insert(id)
            mayHaveRecord.insert(id)
            if file.fingerprint != fingerprint, file.fingerprint != .anyModel {
                found.reports.append(
                    ArchiveReport(
                        notice: "\(id.name): was made with another model; its source is encoded "
                            + "anew", session: id))
            }
            return session
        } catch {
            guard error.code == .damaged else {
                found.reports.append(
                    ArchiveReport(
                        error.code,
                        "\(id.name): is not restored, and left as it is: "
                            + error.message, session: id))
                return nil
            }
            setAside(id, because: error, &aside, &found)
            return nil
        }
    }

    private func restorePictures(_ id: SessionID) throws(StorageError) -> [SourcePicture] {
        let bytes: [UInt8]
        do throws(StorageError) {
            bytes = try files.read(.pictures(id), upTo: Self.greatestFileBytes)
        } catch {
            guard error.code == .missing else { throw error }
            throw StorageError(.damaged, "its pictures are missing", cause: error)
        }
        do throws(StorageError) {
            return try SourcePicture.pictures(in: StateFile(bytes, expecting: .pictures))
        } catch {
            throw StorageError(.damaged, "of its pictures: \(error.message)", cause: error)
        }
    }

    /// Gets the files of a session out of the way, without losing them while there are few.
    private func setAside(
        _ id: SessionID, because error: StorageError, _ aside: inout Int, _ found: inout Found
    ) {
        var fate = "set aside as \(StateFileName.corrupt(.session(id)).text)"
        if aside >= Self.greatestSetAside {
            fate = "removed, as \(Self.greatestSetAside) damaged files are kept already"
        }
        for name in [StateFileName.session(id), .pictures(id)] {
            do throws(StorageError) {
                if aside >= Self.greatestSetAside {
                    try files.remove(name)
                } else {
                    try files.rename(name, to: .corrupt(name))
                    aside += 1
                }
            } catch {
                // The pictures may be what is missing.
                if case .session = name { fate = "left where it is: \(error.message)" }
            }
        }
        found.reports.append(
            ArchiveReport(
                .damaged, "\(id.name): is not restored, as \(error.message); it is \(fate)",
                session: id))
    }
}

extension ContentKey {
    /// The fingerprint in files of versions that did not tell models apart.
    static let anyModel = ContentHasher(kind: "sessions").key()
}
