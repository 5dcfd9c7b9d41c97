package import Foundation
import PosedBase

/// How a pose file is read, where it does not say so itself.
package struct PoseReading: Hashable, Sendable {
    /// Who counts of several people: a number from 1 on, or the name of an annotation line. nil: the most certain
    /// and largest.
    package var person: String?
    /// What coordinates are measured in; replaces what the file says.
    package var units: KeypointUnits
    /// Joints less certain than this are absent.
    package var minConfidence: Double

    /// A file that says all.
    package init(
        person: String? = nil, units: KeypointUnits = .unsaid,
        minConfidence: Double = Keypoint.leastConfidence
    ) {
        self.person = person
        self.units = units
        self.minConfidence = minConfidence
    }

    /// What is to be said where the person is not there.
    package var absence: String {
        person.map { "person \($0) was expected, but is not there" }
            ?? "a person was expected, but nobody is there"
    }

    /// The person's number; nil where nobody is chosen. Throws `malformedPose` for a name.
    var number: Int? {
        get throws {
            guard let person else { return nil }
            guard let number = Int(person), number > 0 else {
                throw VisionError(
                    .malformedPose,
                    "people are chosen by a number from 1 on in this format, not by \"\(person)\"")
            }
            return number
        }
    }
}

extension KeypointUnits {
    /// The units that an option names: `1920x1080`, `normalized` or `normalized-signed`; nil for another text.
    package init?(named text: String) {
        switch text {
        case "normalized": self = .frame(.unit)
        case "normalized-signed": self = .frame(.signed)
        default:
            let sides = text.lowercased().split(separator: "x", omittingEmptySubsequences: false)
                .map { Int($0) }
            guard sides.count == 2, let width = sides[0], let height = sides[1],
                let canvas = KeypointFrame(width: Double(width), height: Double(height))
            else { return nil }
            self = .frame(canvas)
        }
    }
}

/// A pose as it was given: joints, or a picture of them drawn already.
package enum PoseInput: Equatable, Sendable {
    /// Joints, to be drawn.
    case keypoints(Keypoints)
    /// A picture, used as it is.
    case picture(Image)

    /// Reads a file with one pose, telling its format by its content.
    ///
    /// Throws what the formats throw, naming the file; `severalPoses` for a file of more frames than one;
    /// `emptyPose` where nobody is there.
    package init(file path: String, reading: PoseReading = PoseReading()) throws {
        let frames = try PoseFrames(file: path, reading: reading).frames
        self = try PoseInput.only(frames, name: path, reading)
    }

    /// A pose from the contents of a file; `name` stands for it in messages.
    package init(_ data: Data, name: String, reading: PoseReading = PoseReading()) throws {
        if Image.fileFormat(of: data) != nil {
            self = .picture(try Image(encoded: data, name: name, background: .black))
            return
        }
        self = .keypoints(try Keypoints(file: data, name: name, reading: reading))
    }

    /// The one pose of a file's frames.
    static func only<Pose>(
        _ frames: [Pose?], name: String, _ reading: PoseReading
    ) throws -> Pose {
        guard frames.count == 1 else {
            throw VisionError(
                .severalPoses, "\(name): one pose was expected, the file has \(frames.count) frames"
            )
        }
        guard let pose = frames[0] else {
            throw VisionError(.emptyPose, "\(name): \(reading.absence)")
        }
        return pose
    }

    /// A pose whose joints are in pixels of a picture, measured in the rectangle of it that becomes the picture that
    /// is made; nil for the whole of it.
    package func seen(in region: PictureBox?) -> PoseInput {
        guard case .keypoints(let keypoints) = self, let region else { return self }
        return .keypoints(keypoints.seen(in: region))
    }

    /// The pose as a picture of the given size: drawn, or resized (bicubic) where it must be.
    package func image(
        width: Int, height: Int, drawer: PoseDrawer = PoseDrawer()
    ) throws -> Image {
        switch self {
        case .keypoints(let keypoints):
            try PoseRenderer(width: width, height: height, drawer: drawer).image(of: keypoints)
        case .picture(let picture):
            try picture.resized(width: width, height: height)
        }
    }
}

/// The frames of a pose file, a picture of a skeleton among them, which is one frame.
package struct PoseFrames: Sendable {
    /// The pose of each frame; nil where nobody is there.
    package let frames: [PoseInput?]
    /// Frames a second, where the file says.
    package let rate: Double?

    /// Reads a file of any format. Throws what the formats throw, naming the file.
    package init(file path: String, reading: PoseReading = PoseReading()) throws {
        if [".png", ".jpg", ".jpeg", ".webp"].contains(where: path.lowercased().hasSuffix) {
            frames = [.picture(try Image(file: path, background: .black))]
            rate = nil
            return
        }
        let data = try WholeFile.contents(path, limit: PoseSequence.fileLimit)
        if Image.fileFormat(of: data) != nil {
            frames = [.picture(try Image(encoded: data, name: path, background: .black))]
            rate = nil
            return
        }
        let sequence = try PoseSequence(data, name: path, reading: reading)
        frames = sequence.frames.map { $0.map(PoseInput.keypoints) }
        rate = sequence.rate
    }
}

/// The poses of a file, frame after frame.
package struct PoseSequence: Sendable {
    /// The pose of each frame; nil where nobody is there.
    package let frames: [Keypoints?]
    /// Frames a second, where the file says.
    package let rate: Double?

    /// The largest pose file that is read: 256 MiB.
    static let fileLimit = 256 << 20
    /// The largest file in text that is read: 32 MiB.
    private static let textLimit = 32 << 20
    /// The most frames that a file may have.
    static let frameLimit = 100_000

    /// The poses in the contents of a file; `name` stands for it in messages.
    package init(_ data: Data, name: String, reading: PoseReading = PoseReading()) throws {
        do {
            (frames, rate) = try PoseSequence.read(data, reading)
        } catch let error as VisionError {
            throw VisionError(error.code, "\(name): \(error.message)", cause: error.cause)
        }
    }

    /// Whether data begins as a binary `.pose` file does.
    package static func isBinary(_ data: Data) -> Bool { PoseBinary.looksLike(data) }

    private static func read(
        _ data: Data, _ reading: PoseReading
    ) throws -> (frames: [Keypoints?], rate: Double?) {
        if PoseBinary.looksLike(data) {
            let file = try PoseBinary(data, reading: reading)
            return (file.frames, file.rate)
        }
        guard data.count <= textLimit else {
            throw VisionError(
                .malformedPose,
                "a pose in text of at most \(textLimit) bytes was expected, not of \(data.count)")
        }
        let mark = data.prefix(2)
        guard mark != Data([0xFF, 0xFE]), mark != Data([0xFE, 0xFF]) else {
            throw VisionError(
                .malformedPose, "a pose in UTF-8 was expected, this is text in UTF-16")
        }
        let content = data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data
        switch content.first(where: { !($0 == 0x20 || (0x09...0x0D).contains($0)) }) {
        case nil: throw VisionError(.malformedPose, "the file is empty")
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let pictures = try PoseJSON.pictures(Data(content))
            guard pictures.count <= frameLimit else {
                throw VisionError(
                    .malformedPose,
                    "at most \(frameLimit) frames were expected, not \(pictures.count)")
            }
            return (try pictures.map { try $0.pose(reading) }, nil)
        default:
            let text = String(decoding: content, as: UTF8.self)
            let picture = try PoseText.picture(text, reading)
            return ([try picture.pose(reading)], nil)
        }
    }
}

extension Keypoints {
    /// The one pose of a file; `name` stands for it in messages.
    ///
    /// Throws what the formats throw, `severalPoses`, or `emptyPose` where nobody is there.
    package init(file data: Data, name: String, reading: PoseReading = PoseReading()) throws {
        let frames = try PoseSequence(data, name: name, reading: reading).frames
        self = try PoseInput.only(frames, name: name, reading)
    }
}
