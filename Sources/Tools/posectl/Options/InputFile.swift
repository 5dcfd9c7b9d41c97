import Foundation
import PosedProtos
import PosedVision

/// Files that become parts of requests.
enum InputFile {
    /// A file of more bytes than this is not even sent.
    private static let limit = 60 << 20

    /// A picture of a person: a PNG, JPEG or WebP file, sent as it is. Throws `PosectlError` `file`.
    static func picture(_ path: String) throws -> Posed_V1_Image {
        var image = Posed_V1_Image()
        let data = try read(path, "a picture")
        switch Image.fileFormat(of: data) {
        case .jpeg: image.jpeg = data
        case .webp: image.webp = data
        // What is no picture the daemon says.
        case .png, nil: image.png = data
        }
        return image
    }

    /// A pose: a file of any format that the daemon knows, sent as it is. Throws `PosectlError` `file`.
    static func pose(
        _ path: String, _ reading: PoseReading = PoseReading()
    ) throws -> Posed_V1_Pose {
        if path.lowercased().hasSuffix(".jsonl"), let count = LineReader.count(path), count > 1 {
            throw PosectlError(
                .file,
                "\(path): expected one pose, this file has \(count); `posectl stream --poses` makes "
                    + "a frame of each")
        }
        var pose = Posed_V1_Pose()
        pose.file = try read(path, "a pose")
        pose.setReading(reading)
        return pose
    }

    /// A file's contents. Throws `PosectlError` `file`.
    static func read(_ path: String, _ what: String) throws -> Data {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw PosectlError(.file, "\(path): expected \(what), there is no such file")
        }
        guard !isFolder.boolValue else {
            throw PosectlError(.file, "\(path): expected \(what), this is a folder")
        }
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            let data = try file.read(upToCount: limit + 1) ?? Data()
            guard data.count <= limit else {
                throw PosectlError(
                    .file, "\(path): expected \(what) of at most \(limit) bytes, this is more")
            }
            return data
        } catch let error as PosectlError {
            throw error
        } catch {
            throw PosectlError(.file, "\(path): the file cannot be read", cause: error)
        }
    }
}
