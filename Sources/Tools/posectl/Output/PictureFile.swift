import Foundation
import PosedBase
import PosedProtos
import PosedVision

/// Pictures of replies as files.
enum PictureFile {
    /// The picture as a file: as it came, or as a PNG where it came as pixels. Throws `PosectlError`,
    /// `VisionError`.
    static func file(_ image: Posed_V1_Image) throws -> Data {
        switch image.encoding {
        case .png(let data), .jpeg(let data), .webp(let data): data
        case .raw, nil: try picture(image).pngData()
        }
    }

    /// The picture as the file that a path names: a JPEG where it ends in `.jpg`, else a PNG. Throws
    /// `PosectlError`, `VisionError`.
    static func file(_ image: Posed_V1_Image, for path: String, quality: Int) throws -> Data {
        let wanted = Image.writtenFormat(of: path)
        let there = try file(image)
        if Image.fileFormat(of: there) == wanted { return there }
        let picture = try picture(image)
        return try wanted == .jpeg ? picture.jpegData(quality: quality) : picture.pngData()
    }

    /// The picture itself. Throws `PosectlError`, `VisionError`.
    static func picture(_ image: Posed_V1_Image) throws -> Image {
        switch image.encoding {
        case .png(let data), .jpeg(let data), .webp(let data):
            return try Image(encoded: data, name: "a frame")
        case .raw(let raw):
            return try Image(
                width: Int(raw.width), height: Int(raw.height), bytes: [UInt8](raw.rgb))
        case nil: throw PosectlError(.refused, "the daemon sent a frame without a picture")
        }
    }

    /// How the name of the picture's file ends.
    static func ending(of image: Posed_V1_Image) -> String {
        if case .jpeg? = image.encoding { ".jpg" } else { ".png" }
    }

    /// Refuses what `--out` names if no picture can be written there. Throws `PosectlError` `file`.
    static func check(_ path: String) throws {
        guard !path.isEmpty else { throw PosectlError(.file, "--out: expected a file") }
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard !path.hasSuffix("/"), !isThere || !isFolder.boolValue else {
            throw PosectlError(.file, "--out: \(path) is a folder")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        isFolder = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
            isFolder.boolValue
        else { throw PosectlError(.file, "--out: there is no folder \(folder)") }
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw PosectlError(.file, "--out: this user may not write to the folder \(folder)")
        }
    }

    /// Writes a file whole or not at all. Throws `PosectlError` `file`.
    static func write(_ data: Data, to path: String) throws {
        do {
            try WholeFile.write(data, to: path)
        } catch {
            throw PosectlError(
                .file, "\(path): the file cannot be written: \(Text.line("\(error)"))", cause: error
            )
        }
    }

    /// Makes the folder that `--out` names where there is none. Throws `PosectlError` `file`.
    static func makeFolder(_ path: String) throws {
        guard !path.isEmpty else { throw PosectlError(.file, "--out: expected a folder") }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
            guard isFolder.boolValue else {
                throw PosectlError(.file, "--out: \(path) is a file, expected a folder")
            }
            guard FileManager.default.isWritableFile(atPath: path) else {
                throw PosectlError(.file, "--out: this user may not write to the folder \(path)")
            }
            return
        }
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw PosectlError(.file, "--out: the folder \(path) cannot be made", cause: error)
        }
    }
}
