/// What is wrong with a model folder as a whole, or with a request.
package struct PipelineError: Error, Sendable, CustomStringConvertible {
    /// The class of an error, for callers that decide by it.
    package struct Code: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        private enum Kind: String, CaseIterable {
            case invalidModel, invalidRequest, diverged, cancelled
        }
        private let kind: Kind

        /// The folder's parts are missing, or do not fit together.
        package static let invalidModel = Code(kind: .invalidModel)
        /// A setting of the request is out of bounds.
        package static let invalidRequest = Code(kind: .invalidRequest)
        /// The solve left the numbers.
        package static let diverged = Code(kind: .diverged)
        /// The caller stopped the work.
        package static let cancelled = Code(kind: .cancelled)

        /// All classes.
        package static let allCases: [Code] = Kind.allCases.map(Code.init(kind:))

        /// The name of the code, such as `invalidRequest`.
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
