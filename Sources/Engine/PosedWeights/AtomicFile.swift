import Glibc

/// A file that appears under its name only once it is complete and on disk.
///
/// Until `commit` it is a hidden neighbour of its final place; if it is never committed, it is
/// removed.
final class AtomicFile {
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var isCommitted = false

    /// Creates the hidden neighbour. Throws `unwritable` if the folder does not allow it.
    init(path: String) throws(WeightsError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? ""
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        var descriptor: Int32 = -1
        var temporary = ""
        for _ in 0..<16 {
            let suffix = String(UInt32.random(in: .min ... .max), radix: 36)
            temporary = folder + "." + name + "." + suffix
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 || errno != EEXIST { break }
        }
        guard descriptor >= 0 else { throw Self.refusal(path, errno) }
        self.path = path
        self.temporary = temporary
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        if !isCommitted { unlink(temporary) }
    }

    /// Appends bytes.
    func write(_ bytes: [UInt8]) throws(WeightsError) {
        var position = 0
        while position < bytes.count {
            let written = bytes.withUnsafeBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return Glibc.write(descriptor, base + position, buffer.count - position)
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw Self.refusal(path, errno)
            }
            position += written
        }
    }

    /// Makes the file appear under its name.
    func commit() throws(WeightsError) {
        guard fsync(descriptor) == 0, rename(temporary, path) == 0
        else { throw Self.refusal(path, errno) }
        isCommitted = true
    }

    private static func refusal(_ path: String, _ number: Int32) -> WeightsError {
        let reason = strerror(number).map { String(cString: $0) } ?? "error \(number)"
        return WeightsError(.unwritable, "\(path): cannot be written: \(reason)")
    }
}
