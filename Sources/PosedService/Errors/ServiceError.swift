/// What is wrong with a request, as far as its message alone shows.
package struct ServiceError: Error, Sendable, CustomStringConvertible {
    /// The class of an error, for callers that decide by it.
    package struct Code: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        private enum Kind: String, CaseIterable {
            case invalidRequest, notFound, unavailable, failed
        }
        private let kind: Kind

        /// A field holds what cannot be, or what is needed is missing.
        package static let invalidRequest = Code(kind: .invalidRequest)
        /// What the request names does not exist.
        package static let notFound = Code(kind: .notFound)
        /// The daemon takes no more work.
        package static let unavailable = Code(kind: .unavailable)
        /// A defect of the service itself, such as a descriptor set that cannot be read.
        package static let failed = Code(kind: .failed)

        /// All classes.
        package static let allCases: [Code] = Kind.allCases.map(Code.init(kind:))

        /// The name of the code, such as `invalidRequest`.
        package var description: String { kind.rawValue }
    }

    /// The class of the error.
    package let code: Code
    /// One sentence: the field, what was expected of it, what came.
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
