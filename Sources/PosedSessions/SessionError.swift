/// What went wrong with a session, a cache or the state directory.
package struct SessionError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for callers that act on it.
    package struct Code: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        private enum Kind: String, CaseIterable {
            case notFound, invalidArgument, limitReached, conflict
            case locked, diskFull, readOnly, unreadable, unwritable, damaged
        }

        private let kind: Kind

        private init(_ kind: Kind) { self.kind = kind }

        /// The kind's name, as in `limitReached`.
        package var description: String { kind.rawValue }

        /// No session of that name that this identity may see: unknown, foreign, expired or gone.
        package static let notFound = Code(.notFound)
        /// An argument is out of its bounds, or a page token is none of ours.
        package static let invalidArgument = Code(.invalidArgument)
        /// A limit leaves no room; the cause is the ``LimitReached``.
        package static let limitReached = Code(.limitReached)
        /// The session changed since the caller read it.
        package static let conflict = Code(.conflict)
        /// Another process uses the state directory.
        package static let locked = Code(.locked)
        /// The state directory's file system is full, or a quota is used up.
        package static let diskFull = Code(.diskFull)
        /// The state directory may not be written.
        package static let readOnly = Code(.readOnly)
        /// A file or a directory cannot be read.
        package static let unreadable = Code(.unreadable)
        /// A file or a directory cannot be written, for another reason than the two above.
        package static let unwritable = Code(.unwritable)
        /// A file's content is not what was written, or of a version that is not understood.
        package static let damaged = Code(.damaged)

        /// All kinds.
        package static let allCases: [Code] = Kind.allCases.map(Code.init)
    }

    /// The kind of failure.
    package let code: Code
    /// One sentence: what was expected, what came, and where.
    package let message: String
    /// The error underneath, if any.
    package let cause: (any Error)?

    /// An error of the given kind.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message alone.
    package var description: String { message }

    /// The limit that was reached, where the code is `limitReached`.
    package var limit: LimitReached? { cause as? LimitReached }
}
