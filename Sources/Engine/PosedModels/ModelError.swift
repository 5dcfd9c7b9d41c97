/// What went wrong between a part of a model and what it was given: its configuration, its files, or a
/// tensor of the wrong shape.
package struct ModelError: Error, Sendable, CustomStringConvertible {
    /// The class of an error, for callers that decide by it.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String { case unreadable, malformed, unsupported, mismatch }
        private let kind: Kind

        /// A file is absent, or the system refused to read it.
        package static let unreadable = Code(kind: .unreadable)
        /// A configuration breaks the rules of JSON, or a value has the wrong type or an impossible size.
        package static let malformed = Code(kind: .malformed)
        /// A sound configuration of something that is not served here.
        package static let unsupported = Code(kind: .unsupported)
        /// Values that are sound by themselves do not fit together.
        package static let mismatch = Code(kind: .mismatch)

        /// The name of the code, such as `malformed`.
        package var description: String { kind.rawValue }
    }

    /// The class of the error.
    package let code: Code
    /// One sentence: what was expected, what came, and where.
    package let message: String
    /// The error below this one, if any.
    package let cause: (any Error)?

    /// An error of the class `code` that says `message`.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    package var description: String { message }
}
