/// The steps that keeping files takes, one by one, so that each can fail in a test.
///
/// One thread at a time calls them.
package protocol StateFiles: Sendable {
    /// Where the files are, for messages.
    var place: String { get }

    /// The names of all files.
    func names() throws(StorageError) -> [String]

    /// A file's content.
    ///
    /// - Parameter limit: the most bytes that are read; a longer file is cut there.
    /// - Throws: `missing` when there is none; `unreadable`.
    func read(_ name: StateFileName, upTo limit: Int) throws(StorageError) -> [UInt8]

    /// Makes an empty file that only this user may read and write, and that was not there.
    func create(_ name: StateFileName) throws(StorageError) -> StateFileHandle

    /// Appends bytes, all of them.
    func write(_ bytes: [UInt8], to file: StateFileHandle) throws(StorageError)

    /// Returns when what was written would survive a loss of power.
    func synchronize(_ file: StateFileHandle) throws(StorageError)

    /// Closes a file; once, whatever it throws.
    func close(_ file: StateFileHandle) throws(StorageError)

    /// Gives a file another name, in one step, in place of what had that name.
    func rename(_ name: StateFileName, to newName: StateFileName) throws(StorageError)

    /// Removes a file; one that is not there is no error.
    func remove(_ name: StateFileName) throws(StorageError)

    /// Returns when names that were given and removed would survive a loss of power.
    func synchronizeDirectory() throws(StorageError)
}

/// An open file of ``StateFiles``.
package struct StateFileHandle: Hashable, Sendable {
    /// What the file system calls it.
    package let descriptor: Int32

    /// The handle of a descriptor.
    package init(descriptor: Int32) { self.descriptor = descriptor }
}

extension StateFiles {
    /// Puts a file in its place, complete, or leaves what is there as it is.
    ///
    /// When this returns, the file would survive a loss of power.
    func replace(_ name: StateFileName, with parts: [[UInt8]]) throws(StorageError) {
        let unfinished = StateFileName.unfinished(name)
        try remove(unfinished)
        let file = try create(unfinished)
        do throws(StorageError) {
            do throws(StorageError) {
                for part in parts { try write(part, to: file) }
                try synchronize(file)
            } catch {
                try? close(file)
                throw error
            }
            try close(file)
            try rename(unfinished, to: name)
        } catch {
            // On a full disk the room is needed. What cannot be removed now is removed at the next
            // start.
            try? remove(unfinished)
            throw error
        }
        try synchronizeDirectory()
    }
}
