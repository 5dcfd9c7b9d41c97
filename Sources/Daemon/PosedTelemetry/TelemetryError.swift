import PosedBase

/// What went wrong in describing a log or a metric.
package struct TelemetryError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// A name of a metric or a label that Prometheus would not read.
        case invalidName
        /// Bounds of a histogram that do not rise.
        case invalidBuckets
        /// A metric that exists with another type, other labels or other bounds.
        case conflict
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
