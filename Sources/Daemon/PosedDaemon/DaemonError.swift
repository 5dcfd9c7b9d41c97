/// Why the daemon could not start, reload or go on.
package struct DaemonError: Error, Sendable, CustomStringConvertible {
    /// The class of an error, for callers that decide by it.
    package struct Code: Hashable, Sendable {
        private enum Kind: String {
            case configuration, needsRestart, address, core
        }

        private let kind: Kind

        /// The configuration asks for what cannot be.
        package static let configuration = Code(kind: .configuration)
        /// The configuration changes what only a restart can change.
        package static let needsRestart = Code(kind: .needsRestart)
        /// An address that cannot be listened on.
        package static let address = Code(kind: .address)
        /// What the daemon is built around failed.
        package static let core = Code(kind: .core)
    }

    /// The class of the error.
    package let code: Code
    /// One sentence: what was expected, what came, and where.
    package let message: String
    /// The error below this one, if any.
    package let cause: (any Error)?

    /// An error of a class, with its sentence.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { message }
}
