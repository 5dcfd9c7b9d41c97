/// What is wrong with a command's files or settings.
struct PosekitError: Error, Sendable, CustomStringConvertible {
    /// The class of an error.
    struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String { case invalidInput, unwritable }
        private let kind: Kind

        /// A file or a setting is not what the command takes.
        static let invalidInput = Code(kind: .invalidInput)
        /// A result cannot be written where it should go.
        static let unwritable = Code(kind: .unwritable)

        /// The name of the code, such as `invalidInput`.
        var description: String { kind.rawValue }
    }

    /// The class of the error.
    let code: Code
    /// One sentence: what was expected, what came, and where.
    let message: String
    /// The error below this one, if any.
    let cause: (any Error)?

    /// An error of the class `code` that says `message`.
    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    var description: String { message }
}
