import PosedBase

/// What went wrong while measuring.
package struct EvaluationError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// Two things that are compared differ in size.
        case sizeMismatch
        /// A picture is smaller than the window of a metric.
        case pictureTooSmall
        /// A mask has no pixel that counts.
        case emptyMask
        /// A set has fewer than two features.
        case tooFewFeatures
        /// A feature is NaN or infinite.
        case nonFiniteFeature
        /// An eigenvalue did not settle.
        case noConvergence
        /// A report could not be written; nothing was left behind.
        case unwritableFile
        /// A data set's list is missing or malformed.
        case unreadableData
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
