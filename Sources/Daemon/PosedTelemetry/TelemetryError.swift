/// What went wrong in describing a log or a metric.
package struct TelemetryError: Error, Sendable, CustomStringConvertible {
    /// The class of an error, for callers that decide by it.
    package struct Code: Hashable, Sendable {
        private enum Kind: String {
            case invalidName, invalidBuckets, conflict
        }

        private let kind: Kind

        /// A name of a metric or a label that Prometheus would not read.
        package static let invalidName = Code(kind: .invalidName)
        /// Bounds of a histogram that do not rise.
        package static let invalidBuckets = Code(kind: .invalidBuckets)
        /// A metric that exists with another type, other labels or other bounds.
        package static let conflict = Code(kind: .conflict)
    }

    /// The class of the error.
    package let code: Code
    /// One sentence: what was expected, what came, and where.
    package let message: String

    /// An error of a class, with its sentence.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
