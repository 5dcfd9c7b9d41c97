import Foundation

/// The lines of a file, one at a time, as soon as they are there.
struct LineReader {
    /// A pose of more bytes than this is none.
    private static let limit = 1 << 20

    private let path: String
    private let file: FileHandle
    private var buffer = Data()
    private var isOver = false

    /// The lines of a file, or of standard input for `-`. Throws `PosectlError` `file`.
    init(_ path: String) throws {
        self.path = path
        if path == "-" {
            file = .standardInput
            return
        }
        do {
            file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch {
            throw PosectlError(.file, "\(path): the file cannot be read", cause: error)
        }
    }

    /// The next line that is not blank; nil after the last. Throws `PosectlError` `file`.
    mutating func next() throws -> Data? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[..<end]
                buffer = Data(buffer[buffer.index(after: end)...])
                if let pose = Self.trimmed(line) { return pose }
                continue
            }
            if isOver {
                defer { buffer = Data() }
                return Self.trimmed(buffer)
            }
            guard buffer.count <= Self.limit else {
                throw PosectlError(
                    .file, "\(path): expected lines of at most \(Self.limit) bytes, one is longer")
            }
            // What is there already, and no more: a line of a pipe is not to wait for the next.
            let part = file.availableData
            isOver = part.isEmpty
            buffer.append(part)
        }
    }

    /// How many lines there are that are not blank; nil of what can be read but once, or not at all.
    static func count(_ path: String) -> Int? {
        let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
        guard path != "-", let kind = attributes?[.type] as? FileAttributeType,
            kind == .typeRegular, let file = try? FileHandle(forReadingFrom: url)
        else { return nil }
        defer { try? file.close() }
        var count = 0
        var isBlank = true
        while let part = try? file.read(upToCount: 1 << 20), !part.isEmpty {
            for byte in part {
                if byte == UInt8(ascii: "\n") {
                    isBlank = true
                } else if isBlank, !isSpace(byte) {
                    isBlank = false
                    count += 1
                }
            }
        }
        return count
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D
    }

    private static func trimmed(_ line: Data) -> Data? {
        let body = line.drop(while: isSpace)
        return body.isEmpty ? nil : Data(body)
    }
}
