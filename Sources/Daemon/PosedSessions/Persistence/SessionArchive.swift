/// A place where sessions outlive the process.
///
/// It hears of every change in the order in which they happen, and works by itself; what goes wrong
/// there it reports by itself too, and no session suffers from it.
package protocol SessionArchive<Settings>: Sendable {
    /// The caller's defaults that sessions have.
    associatedtype Settings: SessionSettings

    /// Takes note of changes. Called under the store's lock: it returns at once and does not call
    /// the store.
    func perform(_ actions: [SessionAction<Settings>])

    /// Tries again what could not be written, where there is any such thing. Returns at once.
    func retry()

    /// Returns when what is known of a session by now is written, removed, or given up.
    func settle(_ id: SessionID) async

    /// Returns when that is so for all sessions.
    func settleAll() async

    /// The sessions that an earlier process left. What cannot be read is set aside.
    func restore() async -> [Session<Settings>]

    /// Reports that a restored session found no room under the limits; it stays in the archive.
    func report(noRoomFor session: Session<Settings>)
}
