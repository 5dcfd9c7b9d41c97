internal import Glibc

/// Whether what a process writes to a descriptor goes to the journal.
package enum JournalStream {
    /// Compares `JOURNAL_STREAM` (`device:inode`) with the file behind a descriptor. A child that redirects
    /// its output inherits the variable but not the file, so the variable alone says nothing.
    package static func isBehind(_ descriptor: Int32, environment: [String: String]) -> Bool {
        guard let text = environment["JOURNAL_STREAM"] else { return false }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let device = UInt64(parts[0]), let inode = UInt64(parts[1]) else {
            return false
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        return UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }
}
