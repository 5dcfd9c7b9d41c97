/// Something an operator should know about the state directory.
package struct ArchiveReport: Hashable, Sendable, CustomStringConvertible {
    /// How much it matters.
    package enum Severity: String, Hashable, Sendable, CaseIterable {
        /// All is well, or well again.
        case notice
        /// A session was lost, or will not survive a restart.
        case problem
    }

    /// How much it matters.
    package let severity: Severity
    /// The kind of failure, where it is one.
    package let code: StorageError.Code?
    /// One sentence: what happened, where, and what becomes of it.
    package let message: String
    /// The session that it is about, if it is about one.
    package let session: SessionID?

    /// A problem.
    package init(_ code: StorageError.Code, _ message: String, session: SessionID? = nil) {
        severity = .problem
        self.code = code
        self.message = message
        self.session = session
    }

    /// A notice.
    package init(notice message: String, session: SessionID? = nil) {
        severity = .notice
        code = nil
        self.message = message
        self.session = session
    }

    /// The message alone.
    package var description: String { message }
}
