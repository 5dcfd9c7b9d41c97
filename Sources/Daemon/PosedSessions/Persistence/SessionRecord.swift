import Foundation
import PosedBase

/// A session as it is written down: everything but the pixels.
struct SessionRecord<Settings: SessionSettings>: Codable, Sendable {
    let id: String
    /// Nil in records of versions before 0.10, and where the daemon chose the id.
    let chosenID: String?
    let requestID: String?
    let owner: String
    let displayName: String
    let labels: [String: String]
    let timeToLiveMilliseconds: Int64
    let settings: Settings
    let createdMilliseconds: Int64
    let usedMilliseconds: Int64
    let frameCount: UInt64
    let revision: UInt64
    /// The key of the pictures, so that a record never meets another's.
    let pictures: String

    /// The record of a session.
    init(_ session: Session<Settings>) {
        id = session.id.description
        chosenID = session.chosenID
        requestID = session.requestID
        owner = session.owner
        displayName = session.displayName
        labels = session.labels
        timeToLiveMilliseconds = session.timeToLive.wholeMilliseconds
        settings = session.settings
        createdMilliseconds = session.created.milliseconds
        usedMilliseconds = session.used.milliseconds
        frameCount = session.frameCount
        revision = session.revision
        pictures = session.picturesKey.description
    }

    /// The file that holds the record.
    ///
    /// - Throws: `unwritable` for settings that JSON cannot hold.
    func file(fingerprint: ContentKey) throws(StorageError) -> StateFile {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json: Data
        do {
            json = try encoder.encode(self)
        } catch {
            throw StorageError(
                .unwritable, "sessions/\(id): its settings cannot be written as JSON: \(error)",
                cause: error)
        }
        return StateFile(
            kind: .session, fingerprint: fingerprint,
            blocks: [StateFile.Block(.record, Array(json))])
    }

    /// The record in a file.
    ///
    /// - Throws: `damaged`.
    init(_ file: StateFile, id expected: SessionID) throws(StorageError) {
        try self.init(file)
        guard id == expected.description else {
            throw StateFile.damage("it holds sessions/\(id), which is not its name")
        }
    }

    /// The record in a file, whichever session's it is.
    ///
    /// - Throws: `damaged`.
    init(_ file: StateFile) throws(StorageError) {
        guard file.blocks.count == 1, file.blocks[0].tag == .record else {
            throw StateFile.damage("it has one record, but \(file.blocks.count) blocks came")
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(file.blocks[0].bytes))
        } catch {
            throw StorageError(
                .damaged, "its record is not as this version of posed writes it: \(error)",
                cause: error)
        }
    }

    /// The session, given its pictures.
    ///
    /// - Throws: `damaged` when the pictures are not the session's.
    func session(
        id: SessionID, pictures: [SourcePicture]
    ) throws(StorageError) -> Session<Settings> {
        let key = ContentKey.pictures(pictures)
        guard self.pictures == key.description, !pictures.isEmpty else {
            throw StateFile.damage("its pictures are not those of its record")
        }
        return Session(
            id: id, chosenID: chosenID, requestID: requestID, owner: owner,
            displayName: displayName, labels: labels,
            timeToLive: .milliseconds(timeToLiveMilliseconds), settings: settings,
            pictures: pictures, picturesKey: key,
            created: WallTime(milliseconds: createdMilliseconds),
            used: WallTime(milliseconds: usedMilliseconds), frameCount: frameCount,
            revision: revision)
    }
}
