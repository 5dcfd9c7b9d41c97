import Foundation
import PosedProtos
import PosedVision

/// Pictures of replies as PNG files.
enum PictureFile {
    /// The picture as a PNG. Throws `PosectlError`, `VisionError`.
    static func png(_ image: Posed_V1_Image) throws -> Data {
        switch image.content {
        case .png(let data): return data
        case .raw(let raw):
            return try Image(
                width: Int(raw.width), height: Int(raw.height), bytes: [UInt8](raw.rgb)
            ).pngData()
        case nil: throw PosectlError(.refused, "the daemon sent a frame without a picture")
        }
    }

    /// Writes a file whole or not at all. Throws `PosectlError` `file`.
    static func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            let reason = (error as? CocoaError)?.localizedDescription ?? "\(error)"
            throw PosectlError(
                .file, "\(path): the file cannot be written: \(Text.line(reason))", cause: error)
        }
    }

    /// Makes a folder where there is none. Throws `PosectlError` `file`.
    static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw PosectlError(.file, "\(path): the folder cannot be made", cause: error)
        }
    }
}
