/// Why a request was refused or could not be finished.
package struct ServingError: Error, Sendable, CustomStringConvertible {
    /// The class of an error, for callers that decide by it.
    package struct Code: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        private enum Kind: String, CaseIterable {
            case invalidRequest, notFound, limitReached, expired, cancelled, unavailable, failed
        }
        private let kind: Kind

        /// The request asks for what cannot be, or carries what cannot be read.
        package static let invalidRequest = Code(kind: .invalidRequest)
        /// What the request names does not exist for its caller.
        package static let notFound = Code(kind: .notFound)
        /// A queue or a store is full.
        package static let limitReached = Code(kind: .limitReached)
        /// The deadline passed before the work was done.
        package static let expired = Code(kind: .expired)
        /// The caller stopped the work.
        package static let cancelled = Code(kind: .cancelled)
        /// The daemon is starting, draining, or has lost its device.
        package static let unavailable = Code(kind: .unavailable)
        /// The engine failed.
        package static let failed = Code(kind: .failed)

        /// All classes.
        package static let allCases: [Code] = Kind.allCases.map(Code.init(kind:))

        /// The name of the code, such as `invalidRequest`.
        package var description: String { kind.rawValue }
    }

    /// What of a request an error can be about, for whoever knows its name there.
    package enum Field: Hashable, Sendable, CaseIterable {
        case session, model, sources, pose, pageToken
        case solver, guidance, timeShift, width, height, minimumEvaluations
        /// Steps or evaluations, whichever were said.
        case budget
        case warmStart, maxLag
    }

    /// The class of the error.
    package let code: Code
    /// One sentence: what was expected, what came, and where.
    package let message: String
    /// The error below this one, if any.
    package let cause: (any Error)?
    /// What of the request it is about, where it is about one thing.
    package var field: Field?

    /// An error of the class `code` that says `message`.
    package init(
        _ code: Code, _ message: String, about field: Field? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        self.field = field
    }

    /// The message.
    package var description: String { message }
}
