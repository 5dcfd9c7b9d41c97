import Glibc

/// A directory that one daemon at a time keeps its files in.
///
/// Files are opened by their name within the directory, never through a symbolic link, and are
/// readable for their user alone. A file named `lock` is locked as long as this value exists, so a
/// second daemon is refused; the kernel ends the lock with the process, however that ends.
package final class StateDirectory: StateFiles {
    package let place: String
    private let directory: Int32
    private let lock: Int32

    /// Opens a directory, makes it where it does not exist, and locks it.
    ///
    /// - Throws: `locked` when another process has it; `unreadable`, `readOnly` or `unwritable` when
    ///   it cannot be used, or when others than its user may write there.
    package init(_ path: String) throws(StorageError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw FileFailure(errno).error("\(path): the state directory cannot be made")
        }
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else {
            throw FileFailure(errno).error(
                "\(path): the state directory cannot be opened", otherwise: .unreadable)
        }
        do throws(StorageError) {
            try Self.checkWriters(directory, path)
            lock = try Self.lock(directory, path)
        } catch {
            Glibc.close(directory)
            throw error
        }
        place = path
        self.directory = directory
    }

    deinit {
        // Closing alone would leave the lock to a child that is just being started and has a copy.
        flock(lock, LOCK_UN)
        Glibc.close(lock)
        Glibc.close(directory)
    }

    package func names() throws(StorageError) -> [String] {
        let copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let failure = FileFailure(errno)
            if copy >= 0 { Glibc.close(copy) }
            throw failure.error("\(place): cannot be listed", otherwise: .unreadable)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(
                    to: CChar.self, capacity: MemoryLayout.size(ofValue: entry.pointee.d_name)
                ) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else {
            throw FileFailure(errno).error("\(place): cannot be listed", otherwise: .unreadable)
        }
        return names
    }

    package func read(_ name: StateFileName, upTo limit: Int) throws(StorageError) -> [UInt8] {
        // A FIFO of that name must not make the daemon wait for its writer.
        let file = openat(
            directory, name.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else {
            let failure = FileFailure(errno)
            throw failure.error(
                "\(path(name)): cannot be opened",
                otherwise: failure.number == ENOENT ? .missing : .unreadable)
        }
        defer { Glibc.close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw StorageError(.unreadable, "\(path(name)): is no regular file")
        }
        let wanted = max(0, min(limit, Int(status.st_size)))
        var failure: FileFailure?
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
            while count < wanted, let base = buffer.baseAddress {
                let got = Glibc.read(file, base + count, wanted - count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = FileFailure(errno) }
                guard got > 0 else { break }
                count += got
            }
        }
        if let failure {
            throw failure.error("\(path(name)): cannot be read", otherwise: .unreadable)
        }
        return bytes
    }

    package func create(_ name: StateFileName) throws(StorageError) -> StateFileHandle {
        let file = openat(
            directory, name.text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileFailure(errno).error("\(path(name)): cannot be made") }
        return StateFileHandle(descriptor: file)
    }

    package func write(_ bytes: [UInt8], to file: StateFileHandle) throws(StorageError) {
        var position = 0
        while position < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                buffer.baseAddress.map {
                    Glibc.write(file.descriptor, $0 + position, bytes.count - position)
                } ?? 0
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                throw FileFailure(errno).error("\(place): a file cannot be written")
            }
            position += written
        }
    }

    package func synchronize(_ file: StateFileHandle) throws(StorageError) {
        guard fsync(file.descriptor) == 0 else {
            throw FileFailure(errno).error("\(place): a file cannot be brought to the disk")
        }
    }

    package func close(_ file: StateFileHandle) throws(StorageError) {
        guard Glibc.close(file.descriptor) == 0 || errno == EINTR else {
            throw FileFailure(errno).error("\(place): a file cannot be closed")
        }
    }

    package func rename(
        _ name: StateFileName, to newName: StateFileName
    ) throws(StorageError) {
        guard renameat(directory, name.text, directory, newName.text) == 0 else {
            throw FileFailure(errno).error("\(path(newName)): cannot be put in its place")
        }
    }

    package func remove(_ name: StateFileName) throws(StorageError) {
        guard unlinkat(directory, name.text, 0) == 0 || errno == ENOENT else {
            throw FileFailure(errno).error("\(path(name)): cannot be removed")
        }
    }

    package func synchronizeDirectory() throws(StorageError) {
        guard fsync(directory) == 0 else {
            throw FileFailure(errno).error("\(place): names cannot be brought to the disk")
        }
    }

    private func path(_ name: StateFileName) -> String { "\(place)/\(name.text)" }

    /// What others may write cannot be trusted with whose a session is.
    private static func checkWriters(_ directory: Int32, _ path: String) throws(StorageError) {
        var status = stat()
        guard fstat(directory, &status) == 0 else {
            throw FileFailure(errno).error("\(path): cannot be looked at", otherwise: .unreadable)
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0, status.st_uid == geteuid() else {
            throw StorageError(
                .unwritable,
                "\(path): a state directory belongs to the daemon's user (\(geteuid())) and no "
                    + "other may write there, but this one is of user \(status.st_uid) with mode "
                    + String(status.st_mode & 0o777, radix: 8))
        }
    }

    private static func lock(_ directory: Int32, _ path: String) throws(StorageError) -> Int32 {
        let lock = openat(
            directory, "lock", O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw FileFailure(errno).error("\(path)/lock: cannot be opened")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let failure = FileFailure(errno)
            Glibc.close(lock)
            guard failure.number == EWOULDBLOCK else {
                throw failure.error("\(path)/lock: cannot be locked")
            }
            throw StorageError(
                .locked, "\(path): another daemon uses this state directory")
        }
        return lock
    }
}
