/// Files whose contents a server uses, and takes anew when they change.
package protocol ReloadableFiles: Sendable {
    /// Which files, for messages.
    var paths: [String] { get }

    /// Reads the files again if any has changed since they were last looked at, or in any case.
    ///
    /// - Returns: what puts the new contents to use; nil when there is nothing new.
    /// - Throws: `RPCError` with `failedPrecondition` when the files are no good; the old contents
    ///   stay in use.
    func prepare(always: Bool) throws(RPCError) -> (@Sendable () -> Void)?
}
