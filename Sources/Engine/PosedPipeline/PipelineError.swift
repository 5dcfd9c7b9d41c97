import PosedBase

/// What is wrong with a model folder as a whole, or with a request.
package struct PipelineError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// The folder's parts are missing, or do not fit together.
        case invalidModel
        /// A setting of the request is out of bounds.
        case invalidRequest
        /// The solve left the numbers.
        case diverged
        /// The caller stopped the work.
        case cancelled
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
