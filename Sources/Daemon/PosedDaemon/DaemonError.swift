import PosedBase

/// Why the daemon could not start, reload or go on.
package struct DaemonError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// The configuration asks for what cannot be.
        case configuration
        /// The configuration changes what only a restart can change.
        case needsRestart
        /// An address that cannot be listened on.
        case address
        /// What the daemon is built around failed.
        case core
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
