import Dispatch
import PosedSessions

/// A directory in memory that does not answer until a test lets it.
final class BlockedFiles: StateFiles {
    /// What is behind the barrier.
    let files = MemoryFiles()
    private let barrier = DispatchSemaphore(value: 0)

    var place: String { files.place }

    /// Answers from now on.
    func unblock() { barrier.signal() }

    func names() throws(StorageError) -> [String] { try files.names() }

    func read(_ name: StateFileName, upTo limit: Int) throws(StorageError) -> [UInt8] {
        try files.read(name, upTo: limit)
    }

    func create(_ name: StateFileName) throws(StorageError) -> StateFileHandle {
        barrier.wait()
        barrier.signal()
        return try files.create(name)
    }

    func write(_ bytes: [UInt8], to file: StateFileHandle) throws(StorageError) {
        try files.write(bytes, to: file)
    }

    func synchronize(_ file: StateFileHandle) throws(StorageError) { try files.synchronize(file) }

    func close(_ file: StateFileHandle) throws(StorageError) { try files.close(file) }

    func rename(_ name: StateFileName, to newName: StateFileName) throws(StorageError) {
        try files.rename(name, to: newName)
    }

    func remove(_ name: StateFileName) throws(StorageError) { try files.remove(name) }

    func synchronizeDirectory() throws(StorageError) { try files.synchronizeDirectory() }
}
