import Foundation
import PosedBase
import PosedServing
import PosedSessions
import Synchronization

extension Subject {
    /// A session's two files. The first byte says how they come: as they are, or with checksums that are right
    /// around what follows, so that more than the checksums is tried.
    static func state(_ data: Data) {
        let fingerprint = ContentHasher(kind: "fuzz").key()
        var generator = SystemRandomNumberGenerator()
        let id = SessionID.random(using: &generator)
        let body = [UInt8](data.dropFirst(3))
        let cut = min(body.count, Int(data.dropFirst().first ?? 0) << 2)
        let (record, pixels) = (Array(body[..<cut]), Array(body[cut...]))
        let files = StoredFiles()
        switch (data.first ?? 0) % 3 {
        case 0:
            files.put(.session(id), record)
            files.put(.pictures(id), pixels)
        default:
            // A record of other pictures is refused before it is looked at: let its key and its id be right.
            let side = UInt32(data.dropFirst(2).first ?? 0) % 32
            let count = Int(side * side) * 3
            let picture = Array((pixels + [UInt8](repeating: 0, count: count)).prefix(count))
            var size: [UInt8] = []
            for _ in 0..<2 { size += withUnsafeBytes(of: side.littleEndian) { Array($0) } }
            let key =
                (try? SourcePicture(width: Int(side), height: Int(side), pixels: picture))
                .map { ContentKey.pictures([$0]).description } ?? ""
            let text = String(decoding: record, as: UTF8.self)
                .replacing("{id}", with: id.description).replacing("{key}", with: key)
            let written = StateFile(
                kind: .session, fingerprint: fingerprint,
                blocks: [StateFile.Block(.record, Array(text.utf8))])
            let kept = StateFile(
                kind: .pictures, fingerprint: fingerprint,
                blocks: [StateFile.Block(.size, size), StateFile.Block(.pixels, picture)])
            files.put(.session(id), written.encoded().flatMap { $0 })
            files.put(.pictures(id), kept.encoded().flatMap { $0 })
        }
        var vault = SessionVault<SessionDefaults>(files, fingerprint: fingerprint)
        let found = vault.restore()
        var table = SessionTable<SessionDefaults, ContinuousClock.Instant>(limits: SessionLimits())
        let now = Moment(instant: ContinuousClock.now, wall: WallTime.now())
        _ = table.adopt(found.sessions, at: now)
        for session in found.sessions {
            _ = try? table.session(session.id, owner: session.owner, at: now)
            _ = try? table.page(owner: session.owner, size: 1, token: nil, at: now)
            _ = session.expires
        }
        table.sweep(at: now)
    }
}

/// A state directory in memory.
private final class StoredFiles: StateFiles {
    private let contents = Mutex<[String: [UInt8]]>([:])
    let place = "memory"

    func put(_ name: StateFileName, _ bytes: [UInt8]) {
        contents.withLock { $0[name.text] = bytes }
    }

    func names() throws(StorageError) -> [String] { contents.withLock { Array($0.keys) } }

    func read(_ name: StateFileName, upTo limit: Int) throws(StorageError) -> [UInt8] {
        let found: [UInt8]? = contents.withLock { $0[name.text] }
        guard let found else { throw StorageError(.missing, name.text) }
        return Array(found.prefix(limit))
    }

    func rename(_ name: StateFileName, to newName: StateFileName) throws(StorageError) {
        contents.withLock { $0[newName.text] = $0.removeValue(forKey: name.text) }
    }

    func remove(_ name: StateFileName) throws(StorageError) {
        contents.withLock { $0[name.text] = nil }
    }

    func create(_ name: StateFileName) throws(StorageError) -> StateFileHandle {
        throw StorageError(.readOnly, name.text)
    }
    func write(_ bytes: [UInt8], to file: StateFileHandle) throws(StorageError) {}
    func synchronize(_ file: StateFileHandle) throws(StorageError) {}
    func close(_ file: StateFileHandle) throws(StorageError) {}
    func synchronizeDirectory() throws(StorageError) {}
}
