import Foundation
package import PosedErrors
package import PosedProtos
package import PosedVision

extension Posed_V1_Pose {
    /// The longest pose in text that is read, in bytes.
    private static let maxTextBytes = 1 << 20

    /// The pose at `path`; pictures have no side longer than `maxSide` pixels. Throws `RequestError`.
    package func pose(at path: FieldPath, maxSide: Int) throws -> PoseInput {
        if case .file(let data)? = form {
            return try Self.pose(
                file: data, format: fileFormat,
                reading: try reading.reading(at: path.field("reading")), at: path,
                maxSide: maxSide)
        }
        guard !hasReading else {
            throw path.field("reading").refusal(expected: "nothing without `file`", got: "it")
        }
        guard fileFormat == .unspecified else {
            throw path.field("file_format").refusal(
                expected: "nothing without `file`", got: fileFormat.rawValue)
        }
        switch form {
        case .keypoints(let keypoints):
            return .keypoints(try keypoints.keypoints(at: path.field("keypoints")))
        case .picture(let picture):
            return .picture(
                try picture.image(
                    at: path.field("picture"), maxSide: maxSide, background: .black))
        case .file, nil:
            throw path.refusal(expected: "`keypoints`, `picture` or `file`", got: "none of them")
        }
    }

    /// How many bytes a byte of a pose in text may come to while it is read.
    private static let textGrowth = 96

    /// What reading the pose takes; joints are few, and counted with the message.
    package func cost(maxSide: Int) -> ReadingCost {
        switch form {
        case .picture(let picture): picture.cost(maxSide: maxSide)
        case .file(let data) where Image.fileFormat(of: data) != nil:
            ReadingCost(file: data, maxSide: maxSide)
        case .file(let data):
            ReadingCost(
                kept: 0, most: min(data.count, Self.maxTextBytes) * Self.textGrowth, isHeavy: true)
        case .keypoints, nil: ReadingCost()
        }
    }

    private static func pose(
        file data: Data, format: Posed_V1_PoseFileFormat, reading: PoseReading,
        at pose: FieldPath, maxSide: Int
    ) throws -> PoseInput {
        let path = pose.field("file")
        let content = Posed_V1_PoseFileFormat(of: data)
        guard format == .unspecified || format == content else {
            throw pose.field("file_format").refusal(
                expected: "that of `file`, \(content.rawValue)", got: format.rawValue)
        }
        if content == .picture {
            return .picture(
                try Posed_V1_Image.image(
                    file: data, at: path, maxSide: maxSide, background: .black))
        }
        guard data.count <= maxTextBytes else {
            throw path.refusal(
                expected: "a pose file of at most \(maxTextBytes) bytes", got: data.count)
        }
        return try path.reading {
            do {
                return try PoseInput(data, name: fileName, reading: reading)
            } catch let error as VisionError where error.code == .malformedPose {
                let reason = error.message.trimmingPrefix(fileName + ": ")
                throw RequestError(
                    .invalidArgument,
                    "expected a picture, or a pose in JSON, text or a .pose file, but \(reason)",
                    at: path, cause: error)
            }
        }
    }

    /// What stands for the file in messages.
    private static let fileName = "the pose"
}

extension Posed_V1_PoseFileFormat {
    /// The format that a pose file's first bytes show.
    init(of data: Data) {
        let blank = Array(" \t\r\n\u{FEFF}".utf8)
        switch data.first(where: { !blank.contains($0) }) {
        case _ where Image.fileFormat(of: data) != nil: self = .picture
        case _ where PoseSequence.isBinary(data): self = .binary
        case UInt8(ascii: "{")?, UInt8(ascii: "[")?: self = .json
        default: self = .text
        }
    }
}
