import PosedBase

/// What went wrong with the state directory, or with the store that daemons share. Written for the operator: it names
/// files and addresses.
package struct StorageError: CodedError {
    /// The kind of failure, for callers that act on it.
    package enum Code: String, Sendable, CaseIterable {
        /// Saved sessions found no room under the limits.
        case limitReached
        /// The shared store is away, or does not answer in time.
        case unreachable
        /// Another process uses the state directory.
        case locked
        /// The state directory's file system is full, or a quota is used up.
        case diskFull
        /// The state directory may not be written.
        case readOnly
        /// There is no such file.
        case missing
        /// A file or a directory cannot be read.
        case unreadable
        /// A file or a directory cannot be written, for another reason than the two above.
        case unwritable
        /// A file's content is not what was written, or of a version that is not understood.
        case damaged
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    /// An error of the given kind.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
