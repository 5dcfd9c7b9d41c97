import Foundation
import Glibc
import PosedSessions
import Testing

/// The state directory on a real file system.
@Suite struct StateDirectoryTests {
    /// A directory that is removed with this value.
    final class Scratch {
        let path: String

        init() throws {
            path =
                FileManager.default.temporaryDirectory
                .appending(path: "posed-state-\(UUID().uuidString)").path
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func mode(_ name: String = "") -> mode_t? {
            var status = stat()
            return stat("\(path)/\(name)", &status) == 0 ? status.st_mode & 0o777 : nil
        }
    }

    private let id = SessionID.random()

    private func open(_ path: String) -> StorageError? {
        do throws(StorageError) {
            _ = try StateDirectory(path)
            return nil
        } catch {
            return error
        }
    }

    /// A complete file of this content.
    private func put(
        _ bytes: [UInt8], _ name: StateFileName, in directory: StateDirectory
    ) throws {
        let file = try directory.create(name)
        try directory.write(bytes, to: file)
        try directory.synchronize(file)
        try directory.close(file)
        try directory.synchronizeDirectory()
    }

    @Test func keepsFilesForItsUserAlone() throws {
        let scratch = try Scratch()
        let directory = try StateDirectory(scratch.path)
        #expect(scratch.mode() == 0o700)
        #expect(scratch.mode("lock") == 0o600)
        let bytes: [UInt8] = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try put(bytes, .session(id), in: directory)
        #expect(scratch.mode("\(id).session") == 0o600)
        #expect(try directory.read(.session(id), upTo: .max) == bytes)
        #expect(try directory.read(.session(id), upTo: 10) == Array(bytes.prefix(10)))
        #expect(try Set(directory.names()) == ["lock", "\(id).session"])
        try directory.rename(.session(id), to: .corrupt(.session(id)))
        #expect(try Set(directory.names()) == ["lock", "\(id).session.corrupt"])
        try directory.remove(.corrupt(.session(id)))
        try directory.remove(.corrupt(.session(id)))
        #expect(try directory.names() == ["lock"])
    }

    @Test func twoDaemonsDoNotShareIt() throws {
        let scratch = try Scratch()
        var first: StateDirectory? = try StateDirectory(scratch.path)
        let refusal = open(scratch.path)
        #expect(refusal?.code == .locked)
        #expect(refusal?.message == "\(scratch.path): another daemon uses this state directory")
        withExtendedLifetime(first) {}
        first = nil
        #expect(open(scratch.path) == nil)
    }

    @Test func anExistingFileIsNotWrittenInto() throws {
        let scratch = try Scratch()
        let directory = try StateDirectory(scratch.path)
        try put([1], .session(id), in: directory)
        #expect(throws: StorageError.self) { try directory.create(.session(id)) }
        #expect(try directory.read(.session(id), upTo: 9) == [1])
    }

    @Test func missingFilesAreNotFound() throws {
        let scratch = try Scratch()
        let directory = try StateDirectory(scratch.path)
        let failure = #expect(throws: StorageError.self) {
            try directory.read(.pictures(id), upTo: 9)
        }
        #expect(failure?.code == .missing)
        let rename = #expect(throws: StorageError.self) {
            try directory.rename(.pictures(id), to: .session(id))
        }
        #expect(rename?.code == .unwritable)
    }

    @Test func linksPipesAndFoldersAreNotRead() throws {
        let scratch = try Scratch()
        let directory = try StateDirectory(scratch.path)
        let secret = scratch.path + "/secret"
        try Data("secret".utf8).write(to: URL(filePath: secret))
        let name = StateFileName.session(id)
        let path = "\(scratch.path)/\(name.text)"
        func failure() -> StorageError.Code? {
            code { () throws(StorageError) in _ = try directory.read(name, upTo: 100) }
        }
        #expect(symlink(secret, path) == 0)
        #expect(failure() == .unreadable)
        #expect(throws: StorageError.self) { try directory.create(name) }
        try directory.remove(name)
        #expect(mkfifo(path, 0o600) == 0)
        #expect(failure() == .unreadable, "and it did not wait for a writer")
        try directory.remove(name)
        #expect(mkdir(path, 0o700) == 0)
        #expect(failure() == .unreadable)
        #expect(FileManager.default.contents(atPath: secret) == Data("secret".utf8))
    }

    @Test func directoriesThatOthersWriteAreRefused() throws {
        let scratch = try Scratch()
        #expect(mkdir(scratch.path, 0o700) == 0)
        for mode: mode_t in [0o770, 0o702, 0o777] {
            #expect(chmod(scratch.path, mode) == 0)
            let refusal = open(scratch.path)
            #expect(refusal?.code == .unwritable)
            #expect(refusal?.message.hasSuffix("with mode \(String(mode, radix: 8))") == true)
        }
        #expect(chmod(scratch.path, 0o755) == 0)
        #expect(open(scratch.path) == nil)
    }

    @Test func placesThatAreNoDirectoryAreRefused() throws {
        let scratch = try Scratch()
        #expect(open(scratch.path + "/no/where")?.code == .unwritable)
        try Data().write(to: URL(filePath: scratch.path))
        #expect(open(scratch.path)?.code == .unreadable)
    }

    /// Whether this process may mount a small file system; asked by doing it.
    static let mayMount: Bool = {
        guard let scratch = try? Scratch(), mkdir(scratch.path, 0o700) == 0,
            mount("none", scratch.path, "tmpfs", 0, "size=64k") == 0
        else { return false }
        return umount2(scratch.path, Int32(MNT_DETACH)) == 0
    }()

    @Test(.enabled(if: mayMount, "a small file system cannot be mounted here"))
    func aFullFileSystemIsRecognized() throws {
        let scratch = try Scratch()
        #expect(mkdir(scratch.path, 0o700) == 0)
        #expect(mount("none", scratch.path, "tmpfs", 0, "size=64k,mode=700") == 0)
        defer { umount2(scratch.path, Int32(MNT_DETACH)) }
        let directory = try StateDirectory(scratch.path)
        var vault = SessionVault<TestSettings>(
            directory, fingerprint: SessionVaultTests.fingerprint)
        let small = try SessionVaultTests.session(1)
        try vault.save(small)
        let large = try SessionVaultTests.session(2, pixels: 16_000)
        let larger = try SessionVaultTests.session(3, pixels: 16_384)
        try vault.save(large)
        let failure = #expect(throws: StorageError.self) { try vault.save(larger) }
        #expect(failure?.code == .diskFull)
        #expect(failure?.message.hasSuffix("No space left on device") == true)
        // The room is given back, and what was there is there.
        try vault.save(try SessionVaultTests.changed(small))
        var next = SessionVault<TestSettings>(
            directory, fingerprint: SessionVaultTests.fingerprint)
        let found = next.restore()
        #expect(Set(found.sessions.map(\.id)) == [small.id, large.id])
        #expect(found.reports.isEmpty)
        #expect(try directory.names().count == 5)
        // Read-only from now on.
        let flags = UInt(MS_REMOUNT) | UInt(MS_RDONLY)
        #expect(mount("none", scratch.path, "tmpfs", flags, nil) == 0)
        let readOnly = #expect(throws: StorageError.self) { try vault.remove(small.id) }
        #expect(readOnly?.code == .readOnly)
        let saving = #expect(throws: StorageError.self) { try vault.save(larger) }
        #expect(saving?.code == .readOnly)
    }

    @Test func aFullDeviceIsRecognized() throws {
        let scratch = try Scratch()
        let directory = try StateDirectory(scratch.path)
        let full = Glibc.open("/dev/full", O_WRONLY | O_CLOEXEC)
        #expect(full >= 0)
        let handle = StateFileHandle(descriptor: full)
        let failure = #expect(throws: StorageError.self) { try directory.write([1], to: handle) }
        #expect(failure?.code == .diskFull)
        try directory.close(handle)
    }

    @Test func errorsOfClosedFilesAreReported() throws {
        let scratch = try Scratch()
        let directory = try StateDirectory(scratch.path)
        let handle = StateFileHandle(descriptor: -1)
        #expect(throws: StorageError.self) { try directory.write([1], to: handle) }
        #expect(throws: StorageError.self) { try directory.synchronize(handle) }
        #expect(throws: StorageError.self) { try directory.close(handle) }
    }
}
