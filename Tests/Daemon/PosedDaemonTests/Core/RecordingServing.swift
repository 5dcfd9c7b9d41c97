import PosedAccounts
import PosedErrors
import PosedGuarded
import PosedServing

/// An engine room that remembers what it was asked and makes nothing.
final class RecordingServing: Serving {
    struct Asked {
        var session: NewSession?
        var changes: SessionChanges?
        var frame: FrameRequest?
        var stream: StreamOptions?
    }

    let asked = Guarded(Asked())
    let accounts = Accounts()
    let models: [ModelDescription]
    let solvers: [SolverDescription]

    init(models: [ModelDescription] = [], solvers: [SolverDescription] = []) {
        self.models = models
        self.solvers = solvers
    }

    private func refusal() -> RequestError { RequestError(.unavailable, "nothing is made here") }

    func createSession(_ session: NewSession, owner: String) async throws -> SessionDescription {
        asked.withLock { $0.session = session }
        return SessionDescription()
    }

    func updateSession(_ name: String, _ changes: SessionChanges, owner: String) async throws
        -> SessionDescription
    {
        asked.withLock { $0.changes = changes }
        return SessionDescription()
    }

    func synthesize(_ request: FrameRequest, owner: String) async throws -> Frame {
        asked.withLock { $0.frame = request }
        throw refusal()
    }

    func stream<Poses: AsyncSequence & Sendable>(
        _ options: StreamOptions, owner: String, poses: Poses,
        opened: @Sendable (UsedSettings) async throws -> Void,
        answer: @escaping @Sendable (StreamAnswer) async throws -> Void
    ) async throws where Poses.Element == StreamPose {
        asked.withLock { $0.stream = options }
        throw refusal()
    }

    func session(_ name: String, owner: String) throws -> SessionDescription { throw refusal() }
    func sessions(owner: String, pageSize: Int, pageToken: String) throws -> SessionPage {
        throw refusal()
    }
    func deleteSession(_ name: String, etag: String?, owner: String) async throws {
        throw refusal()
    }

    var backends: [BackendDescription] { [] }
    var limits: ServingLimits { ServingLimits() }
    var statistics: ServingStatistics { ServingStatistics() }
    func statistics(of owner: String) -> ServingStatistics { ServingStatistics() }
}
