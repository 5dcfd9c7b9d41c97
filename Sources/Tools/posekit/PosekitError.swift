import PosedBase

/// What is wrong with a command's files or settings.
struct PosekitError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    enum Code: String, Sendable, CaseIterable {
        /// A file or a setting is not what the command takes.
        case invalidInput
        /// A result cannot be written where it should go.
        case unwritable
    }

    let code: Code
    let message: String
    let cause: (any Error)?

    /// An error of the class `code` that says `message`.
    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
