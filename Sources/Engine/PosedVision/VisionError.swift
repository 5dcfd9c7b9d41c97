/// What went wrong with a picture, a pose or their settings.
package struct VisionError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for callers that act on it.
    package struct Code: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        private enum Kind: String, CaseIterable {
            case unreadableFile, unwritableFile, notAPicture, damagedPicture, tooLarge, outOfMemory
            case unsupportedPicture, invalidSize, invalidPixels, invalidConfiguration
            case malformedPose, incompletePose, emptyPose, nonFinitePose, poseOutsidePicture
            case unclearUnits, severalPoses
        }

        private let kind: Kind

        private init(_ kind: Kind) { self.kind = kind }

        /// The kind's name, as in `damagedPicture`.
        package var description: String { kind.rawValue }

        /// A file is missing, a folder, too large or not to be read.
        package static let unreadableFile = Code(.unreadableFile)
        /// A file could not be written; nothing was left behind.
        package static let unwritableFile = Code(.unwritableFile)
        /// The data begins as no known picture file does.
        package static let notAPicture = Code(.notAPicture)
        /// The data is truncated, fails a checksum or contradicts its header.
        package static let damagedPicture = Code(.damagedPicture)
        /// A picture file of a known format is of a kind that is not read, such as an animation.
        package static let unsupportedPicture = Code(.unsupportedPicture)
        /// A picture has more pixels than the limit allows.
        package static let tooLarge = Code(.tooLarge)
        /// Memory ran out.
        package static let outOfMemory = Code(.outOfMemory)
        /// A width, height, box or byte count makes no picture.
        package static let invalidSize = Code(.invalidSize)
        /// Values that should become pixels are not numbers.
        package static let invalidPixels = Code(.invalidPixels)
        /// An image processor's configuration is malformed or asks for the unknown.
        package static let invalidConfiguration = Code(.invalidConfiguration)
        /// A pose file is in none of the known formats.
        package static let malformedPose = Code(.malformedPose)
        /// A pose has too few or too many joints.
        package static let incompletePose = Code(.incompletePose)
        /// A pose has no joint that is present.
        package static let emptyPose = Code(.emptyPose)
        /// A pose has a coordinate or confidence that is NaN or infinite.
        package static let nonFinitePose = Code(.nonFinitePose)
        /// A joint does not fit the picture, and nobody said what the pose is measured in.
        package static let poseOutsidePicture = Code(.poseOutsidePicture)
        /// Nobody said what a pose is measured in, and its coordinates do not tell.
        package static let unclearUnits = Code(.unclearUnits)
        /// One pose was expected, and a file has several frames.
        package static let severalPoses = Code(.severalPoses)

        /// All kinds.
        package static let allCases: [Code] = Kind.allCases.map(Code.init)
    }

    /// The kind of failure.
    package let code: Code
    /// One sentence: what was expected, what came, and where.
    package let message: String
    /// The error underneath, if any.
    package let cause: (any Error)?

    /// An error of the given kind.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message alone.
    package var description: String { message }
}
