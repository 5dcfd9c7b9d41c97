/// What is wrong with a solver, with a request for one, or with a file that describes one.
package struct SolverError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller may tell apart.
    package struct Code: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        private enum Kind: String, CaseIterable {
            case invalidTableau, invalidRequest, unknownSolver, unreadable
        }
        private let kind: Kind

        /// Coefficients that are no explicit Runge–Kutta method of the order they claim.
        package static let invalidTableau = Code(kind: .invalidTableau)
        /// Steps, evaluations, a time shift or tolerances out of bounds.
        package static let invalidRequest = Code(kind: .invalidRequest)
        /// No solver goes by that name.
        package static let unknownSolver = Code(kind: .unknownSolver)
        /// A tableau file or a solver library that cannot be read or does not fit.
        package static let unreadable = Code(kind: .unreadable)

        /// All kinds.
        package static let allCases: [Code] = Kind.allCases.map(Code.init(kind:))

        package var description: String { kind.rawValue }
    }

    /// The kind of failure.
    package let code: Code
    /// What was expected, what came, and where.
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
