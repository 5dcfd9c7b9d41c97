/// What went wrong while reading, verifying or writing a file of weights.
package struct WeightsError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller may tell apart.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String { case unreadable, malformed, mismatch, unwritable }
        private let kind: Kind

        /// The file is absent, is no regular file, or the system refused to read it.
        package static let unreadable = Code(kind: .unreadable)
        /// The file breaks the rules of its own format.
        package static let malformed = Code(kind: .malformed)
        /// The file is sound, but its tensors are not those that the model needs.
        package static let mismatch = Code(kind: .mismatch)
        /// The file could not be written.
        package static let unwritable = Code(kind: .unwritable)

        package var description: String { kind.rawValue }
    }

    /// The kind of failure.
    package let code: Code
    /// What was expected, what came, and where: the file, and the tensor if it is about one.
    package let message: String
    /// The failure beneath this one, if any.
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { message }
}

extension WeightsError {
    /// A name out of a file, quoted for a message: control characters escaped, long names cut.
    static func quoted(_ name: String) -> String {
        let limit = 120
        let cut = name.unicodeScalars.count > limit
        var text = "\""
        for scalar in name.unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                text.unicodeScalars.append(scalar)
            }
        }
        return text + (cut ? "…\"" : "\"")
    }

    /// A shape for a message, such as `[3, 4]`.
    static func text(_ shape: [Int]) -> String {
        let limit = 12
        let shown = shape.prefix(limit).map(String.init).joined(separator: ", ")
        return "[" + shown + (shape.count > limit ? ", …]" : "]")
    }
}
