/// What went wrong while measuring.
package struct EvaluationError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for callers that act on it.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case sizeMismatch, pictureTooSmall, emptyMask, tooFewFeatures, nonFiniteFeature
            case noConvergence, unwritableFile, unreadableData
        }

        private let kind: Kind

        private init(_ kind: Kind) { self.kind = kind }

        /// The kind's name, as in `sizeMismatch`.
        package var description: String { kind.rawValue }

        /// Two things that are compared differ in size.
        package static let sizeMismatch = Code(.sizeMismatch)
        /// A picture is smaller than the window of a metric.
        package static let pictureTooSmall = Code(.pictureTooSmall)
        /// A mask has no pixel that counts.
        package static let emptyMask = Code(.emptyMask)
        /// A set has fewer than two features.
        package static let tooFewFeatures = Code(.tooFewFeatures)
        /// A feature is NaN or infinite.
        package static let nonFiniteFeature = Code(.nonFiniteFeature)
        /// An eigenvalue did not settle.
        package static let noConvergence = Code(.noConvergence)
        /// A report could not be written; nothing was left behind.
        package static let unwritableFile = Code(.unwritableFile)
        /// A data set's list is missing or malformed.
        package static let unreadableData = Code(.unreadableData)
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
