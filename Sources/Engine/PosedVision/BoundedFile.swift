import Foundation

/// Whole files, read with a ceiling so that an endless one cannot fill the memory.
enum BoundedFile {
    /// The contents of a file of at most `limit` bytes. Throws `unreadableFile`.
    static func read(_ path: String, limit: Int) throws -> Data {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw VisionError(.unreadableFile, "\(path): there is no such file")
        }
        guard !isFolder.boolValue else {
            throw VisionError(.unreadableFile, "\(path): a file was expected, this is a folder")
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
            throw VisionError(.unreadableFile, "\(path): the file cannot be read", cause: error)
        }
        guard contents.count <= limit else {
            throw VisionError(
                .unreadableFile, "\(path): the file is larger than the \(limit) bytes allowed")
        }
        return contents
    }

    /// Writes a file beside its place and renames it there: it is whole or not there at all.
    ///
    /// Throws `unwritableFile`.
    static func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            let reason = (error as? CocoaError)?.localizedDescription ?? "\(error)"
            throw VisionError(
                .unwritableFile, "\(path): the file cannot be written: \(reason)", cause: error)
        }
    }
}
