internal import Glibc
internal import PosedBase

/// Small files of text, read whole.
enum TextFile {
    /// The text of the file at `path`, which may have `limit` bytes.
    ///
    /// - Throws: `RPCError` with `failedPrecondition` when it cannot be read, is longer, is not UTF-8
    ///   or holds a zero byte.
    static func read(_ path: String, atMost limit: Int) throws(RPCError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("open", path, SystemError.last) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw failure("read", path, SystemError.last)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw failure("read", path, "it is no regular file")
        }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("read", path, SystemError.last)
            }
            if count == 0 { break }
            bytes.append(contentsOf: piece[..<count])
            guard bytes.count <= limit else {
                throw failure("read", path, "it has more than \(limit) bytes")
            }
        }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw failure("read", path, "it is no text")
        }
        return text
    }

    private static func failure(_ verb: String, _ path: String, _ reason: String) -> RPCError {
        RPCError(.failedPrecondition, "could not \(verb) \(path): \(reason)")
    }
}
