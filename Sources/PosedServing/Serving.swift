/// What the daemon does for its callers, whoever carries their words.
///
/// Every function throws `RequestError`. `owner` is the caller's identity; a session belongs to the one
/// that made it, and for others it does not exist. Cancelling the task of an asynchronous call stops
/// its work within one velocity evaluation.
package protocol Serving: Sendable {
    func createSession(_ session: NewSession, owner: String) async throws -> SessionDescription
    func session(_ name: String, owner: String) throws -> SessionDescription
    /// The owner's sessions, the oldest first.
    func sessions(owner: String, pageSize: Int, pageToken: String) throws -> SessionPage
    /// Returns when the change would survive a restart, as does deletion.
    func updateSession(_ name: String, _ changes: SessionChanges, owner: String) async throws
        -> SessionDescription
    func deleteSession(_ name: String, owner: String) async throws

    func synthesize(_ request: FrameRequest, owner: String) async throws -> Frame
    func openStream(_ options: StreamOptions, owner: String) async throws -> any FrameStream

    var models: [ModelDescription] { get }
    var backends: [BackendDescription] { get }
    var solvers: [SolverDescription] { get }
    var limits: ServingLimits { get }
    var statistics: ServingStatistics { get }
}
