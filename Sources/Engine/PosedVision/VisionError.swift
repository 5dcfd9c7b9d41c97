import Foundation
import PosedBase

/// What went wrong with a picture, a pose or their settings.
package struct VisionError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// A file is missing, a folder, too large or not to be read.
        case unreadableFile
        /// A file could not be written; nothing was left behind.
        case unwritableFile
        /// The data begins as no known picture file does.
        case notAPicture
        /// The data is truncated, fails a checksum or contradicts its header.
        case damagedPicture
        /// A picture file of a known format is of a kind that is not read, such as an animation.
        case unsupportedPicture
        /// A picture has more pixels than the limit allows.
        case tooLarge
        /// Memory ran out.
        case outOfMemory
        /// A width, height, box or byte count makes no picture.
        case invalidSize
        /// Values that should become pixels are not numbers.
        case invalidPixels
        /// An image processor's configuration is malformed or asks for the unknown.
        case invalidConfiguration
        /// A pose file is in none of the known formats.
        case malformedPose
        /// A pose has too few or too many joints.
        case incompletePose
        /// A pose has no joint that is present.
        case emptyPose
        /// A pose has a coordinate or confidence that is NaN or infinite.
        case nonFinitePose
        /// A joint does not fit the picture, and nobody said what the pose is measured in.
        case poseOutsidePicture
        /// Nobody said what a pose is measured in, and its coordinates do not tell.
        case unclearUnits
        /// One pose was expected, and a file has several frames.
        case severalPoses
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    /// An error of the class `code` that says `message`.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension WholeFile {
    /// The contents of a file of at most `limit` bytes. Throws `unreadableFile`.
    static func contents(_ path: String, limit: Int) throws(VisionError) -> Data {
        do {
            return try read(path, limit: limit)
        } catch {
            throw VisionError(.unreadableFile, "\(path): \(error)", cause: error)
        }
    }

    /// Writes a file that is whole under its name, or not there at all. Throws `unwritableFile`.
    static func put(_ data: Data, at path: String) throws(VisionError) {
        do {
            try write(data, to: path)
        } catch {
            throw VisionError(
                .unwritableFile, "\(path): the file cannot be written: \(error)", cause: error)
        }
    }
}
