import Foundation
import PosedBase

/// The files of results: checked before the work, so that a wrong path costs nothing.
enum OutputFile {
    /// Refuses a path that cannot be written.
    ///
    /// - Throws: `PosekitError` `.unwritable`.
    static func check(_ path: String) throws {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            throw PosekitError(.unwritable, "\(path): a file expected, but this is a folder")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
            isFolder.boolValue
        else { throw PosekitError(.unwritable, "\(path): there is no folder \(folder)") }
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw PosekitError(.unwritable, "\(path): the folder \(folder) cannot be written to")
        }
    }

    /// Writes JSON, whole or not at all.
    ///
    /// - Throws: `PosekitError` `.unwritable`.
    static func write(_ value: some Encodable, to path: String) throws {
        do {
            try WholeFile.write(json: value, to: path)
        } catch {
            throw PosekitError(.unwritable, "\(path): cannot be written: \(error)", cause: error)
        }
    }
}
