import PosedBase

/// What is wrong with a solver, with a request for one, or with a file that describes one.
package struct SolverError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// Coefficients that are no explicit Runge–Kutta method of the order they claim.
        case invalidTableau
        /// Steps, evaluations, a time shift or tolerances out of bounds.
        case invalidRequest
        /// No solver goes by that name.
        case unknownSolver
        /// A tableau file or a solver library that cannot be read or does not fit.
        case unreadable
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
