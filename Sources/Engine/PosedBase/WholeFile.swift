package import Foundation
import Glibc

/// Why a file could not be read or written, without its path.
package struct FileProblem: Error, CustomStringConvertible {
    /// The reason.
    package let description: String

    init(_ description: String) { self.description = description }

    /// The reason of a system call's failure.
    init(errno number: Int32) {
        description = SystemError.text(number)
    }
}

/// Files that are read and written as a whole.
package enum WholeFile {
    /// The contents of a file of at most `limit` bytes. An endless one, such as a device, does not fill the
    /// memory.
    package static func read(_ path: String, limit: Int) throws(FileProblem) -> Data {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw FileProblem("there is no such file")
        }
        guard !isFolder.boolValue else {
            throw FileProblem("a file was expected, this is a folder")
        }
        var contents = Data()
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            while let part = try file.read(upToCount: 1 << 20), !part.isEmpty {
                contents.append(part)
                if contents.count > limit { break }
            }
        } catch {
            throw FileProblem("the file cannot be read: \(reason(error))")
        }
        guard contents.count <= limit else {
            throw FileProblem("the file is larger than the \(limit) bytes allowed")
        }
        return contents
    }

    /// Writes a file that is whole under its name, or not there at all.
    package static func write(_ data: Data, to path: String) throws(FileProblem) {
        let file = try AtomicFile(path: path)
        try file.write([UInt8](data))
        try file.commit()
    }

    /// Writes a value as indented JSON with sorted keys, as `write` does.
    package static func write(json value: some Encodable, to path: String) throws(FileProblem) {
        let text: String
        do {
            text = try self.text(json: value)
        } catch {
            throw FileProblem(reason(error))
        }
        try write(Data((text + "\n").utf8), to: path)
    }

    /// A value as indented JSON with sorted keys.
    package static func text(json value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func reason(_ error: any Error) -> String {
        (error as? CocoaError)?.localizedDescription ?? "\(error)"
    }
}

/// A file that appears under its name only once it is complete.
///
/// Until `commit` it is a hidden neighbour of its final place; if it is never committed, it is removed.
package final class AtomicFile {
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var isCommitted = false

    /// Creates the hidden neighbour.
    package init(path: String) throws(FileProblem) {
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
        guard descriptor >= 0 else { throw FileProblem(errno: errno) }
        self.path = path
        self.temporary = temporary
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        if !isCommitted { unlink(temporary) }
    }

    /// Appends bytes.
    package func write(_ bytes: [UInt8]) throws(FileProblem) {
        var position = 0
        while position < bytes.count {
            let written = bytes.withUnsafeBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return Glibc.write(descriptor, base + position, buffer.count - position)
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw FileProblem(errno: errno)
            }
            position += written
        }
    }

    /// Makes the file appear under its name.
    ///
    /// - Parameter durably: Whether its contents must have reached the disk before.
    package func commit(durably: Bool = false) throws(FileProblem) {
        guard !durably || fsync(descriptor) == 0, rename(temporary, path) == 0
        else { throw FileProblem(errno: errno) }
        isCommitted = true
    }
}
