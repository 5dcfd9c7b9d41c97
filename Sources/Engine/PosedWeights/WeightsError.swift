import PosedBase

/// What went wrong while reading, verifying or writing a file of weights.
package struct WeightsError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// The file is absent, is no regular file, or the system refused to read it.
        case unreadable
        /// The file breaks the rules of its own format.
        case malformed
        /// The file is sound, but its tensors are not those that the model needs.
        case mismatch
        /// The file could not be written.
        case unwritable
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

extension WeightsError {
    /// A shape for a message, such as `[3, 4]`.
    static func text(_ shape: [Int]) -> String {
        let limit = 12
        let shown = shape.prefix(limit).map(String.init).joined(separator: ", ")
        return "[" + shown + (shape.count > limit ? ", …]" : "]")
    }
}
