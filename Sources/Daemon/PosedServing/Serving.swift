package import PosedAccounts
/// What the daemon does for its callers, whoever carries their words.
///
/// Every function throws `RequestError`. `owner` is the caller's identity; a session belongs to the one
/// that made it, and for others it does not exist. Cancelling the task of an asynchronous call stops
/// its work within one velocity evaluation.
package protocol Serving: Sendable {
    func createSession(_ session: NewSession, owner: String) async throws -> SessionDescription
    func session(_ name: String, owner: String) async throws -> SessionDescription
    /// The owner's sessions, the oldest first.
    func sessions(owner: String, pageSize: Int, pageToken: String) async throws -> SessionPage
    /// Returns when the change would survive a restart, as does deletion.
    func updateSession(_ name: String, _ changes: SessionChanges, owner: String) async throws
        -> SessionDescription
    /// `etag`: the one that the caller knows; nil for any.
    func deleteSession(_ name: String, etag: String?, owner: String) async throws

    func synthesize(_ request: FrameRequest, owner: String) async throws -> Frame
    /// Makes a frame of each pose, and returns when the poses have come to their end and all are answered.
    ///
    /// Every pose gets exactly one answer, in the order of the poses; what is wrong with a pose is its answer. Poses
    /// are asked for as fast as they are made, or superseded; answers are given as fast as `answer` returns.
    /// Whatever `poses`, `opened` or `answer` throws ends the stream and is thrown; nothing is under way then.
    ///
    /// - Parameters:
    ///   - opened: told what frames are made with where a pose does not say otherwise, before the first answer.
    ///   - answer: told the answers, one at a time.
    func stream<Poses: AsyncSequence & Sendable>(
        _ options: StreamOptions, owner: String, poses: Poses,
        opened: @Sendable (UsedSettings) async throws -> Void,
        answer: @escaping @Sendable (StreamAnswer) async throws -> Void
    ) async throws where Poses.Element == StreamPose

    var models: [ModelDescription] { get }
    var backends: [BackendDescription] { get }
    var solvers: [SolverDescription] { get }
    var limits: ServingLimits { get }
    /// What all callers have done, and are doing.
    var statistics: ServingStatistics { get }
    /// What an owner has done, and is doing.
    func statistics(of owner: String) -> ServingStatistics
    /// What every caller holds.
    var accounts: Accounts { get }
}
