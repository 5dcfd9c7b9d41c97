package import Foundation

/// A pose as it was given: joints, or a picture of them drawn already.
package enum PoseInput: Equatable, Sendable {
    /// 18 joints, to be drawn.
    case keypoints(Keypoints)
    /// A picture, used as it is.
    case picture(Image)

    /// The largest pose file in text that is read: 16 MiB.
    private static let textLimit = 16 << 20

    /// Reads a pose file, telling its format by its first bytes.
    ///
    /// A PNG, JPEG or WebP (or whatever is named so) is a picture, laid over black where it is transparent, as
    /// poses are drawn; what begins with `{` or `[` is JSON; all
    /// else is a PIDM or X-MDPT text file. `frame` replaces the frame of the format, `person`
    /// chooses an annotation line by name. Throws what the formats throw, naming the file.
    package init(file path: String, person: String? = nil, frame: KeypointFrame? = nil) throws {
        if [".png", ".jpg", ".jpeg", ".webp"].contains(where: path.lowercased().hasSuffix) {
            self = .picture(try Image(file: path, background: .black))
            return
        }
        let data = try BoundedFile.read(path, limit: PoseInput.textLimit)
        try self.init(data, name: path, person: person, frame: frame)
    }

    /// A pose from the contents of a file; `name` stands for it in messages.
    package init(
        _ data: Data, name: String, person: String? = nil, frame: KeypointFrame? = nil
    ) throws {
        if Image.fileFormat(of: data) != nil {
            self = .picture(try Image(encoded: data, name: name, background: .black))
            return
        }
        let text = String(decoding: data, as: UTF8.self)
        let first = text.first { !$0.isWhitespace && $0 != "\u{FEFF}" }
        switch first {
        case nil:
            throw VisionError(.malformedPose, "\(name): the file is empty")
        case "{", "[":
            self = .keypoints(try Keypoints(json: data, name: name, frame: frame))
        default:
            self = .keypoints(
                try Keypoints(text: text, name: name, person: person, frame: frame))
        }
    }

    /// The pose as a picture of the given size: drawn, or resized (bicubic) where it must be.
    package func image(width: Int, height: Int) throws -> Image {
        switch self {
        case .keypoints(let keypoints):
            try PoseRenderer(width: width, height: height).image(of: keypoints)
        case .picture(let picture):
            try picture.resized(width: width, height: height)
        }
    }
}
