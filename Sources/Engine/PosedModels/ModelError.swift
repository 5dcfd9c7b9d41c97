import PosedBase

/// What went wrong between a part of a model and what it was given: its configuration, its files, or a
/// tensor of the wrong shape.
package struct ModelError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// A file is absent, or the system refused to read it.
        case unreadable
        /// A configuration breaks the rules of JSON, or a value has the wrong type or an impossible size.
        case malformed
        /// A sound configuration of something that is not served here.
        case unsupported
        /// Values that are sound by themselves do not fit together.
        case mismatch
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
