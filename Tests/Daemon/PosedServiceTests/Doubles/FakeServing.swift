import PosedAccounts
import Foundation
import PosedBackend
import PosedErrors
import PosedGuarded
import PosedServing
import PosedVision

/// An engine room without an engine: it remembers what it was asked for and paints one colour.
final class FakeServing: Serving {
    struct State {
        var sessions: [(session: SessionDescription, owner: String)] = []
        var created: [NewSession] = []
        var frames: [FrameRequest] = []
        var pages: [(size: Int, token: String)] = []
        var streams: [FakeFrameStream] = []
        var models: [ModelDescription] = []
        var backends: [BackendDescription] = []
        var solvers: [SolverDescription] = []
        var limits = ServingLimits()
        var statistics = ServingStatistics()
        /// What fails next, whatever it is.
        var failure: (any Error)?
    }

    private let state = Guarded(State())
    let accounts = Accounts()

    /// How streams of this room answer.
    let answering: FakeFrameStream.Answering

    init(answering: FakeFrameStream.Answering = .atOnce) { self.answering = answering }

    /// Looks at what happened, or prepares what shall.
    func with<Value>(_ body: (inout sending State) throws -> sending Value) rethrows -> Value {
        try state.withLock { try body(&$0) }
    }

    /// The stream opened last.
    var stream: FakeFrameStream? { state.withLock { $0.streams.last } }

    private func fail(_ state: inout State) throws {
        if let failure = state.failure { throw failure }
    }

    private func index(_ name: String, _ owner: String, in state: State) throws -> Int {
        let index = state.sessions.firstIndex { $0.session.name == name && $0.owner == owner }
        guard let index else { throw RequestError(.notFound, "there is no session \(name)") }
        return index
    }

    func createSession(_ new: NewSession, owner: String) async throws -> SessionDescription {
        try state.withLock { state in
            try fail(&state)
            var session = SessionDescription()
            session.name = "sessions/\(state.sessions.count + 1)"
            session.displayName = new.displayName
            session.model = new.model ?? "models/default"
            session.defaults = new.defaults
            session.timeToLive = new.timeToLive ?? state.limits.defaultTimeToLive
            session.sourceCount = new.sources.count
            state.created.append(new)
            state.sessions.append((session, owner))
            return session
        }
    }

    func session(_ name: String, owner: String) throws -> SessionDescription {
        try state.withLock { state in
            try fail(&state)
            return state.sessions[try index(name, owner, in: state)].session
        }
    }

    func sessions(owner: String, pageSize: Int, pageToken: String) throws -> SessionPage {
        try state.withLock { state in
            try fail(&state)
            state.pages.append((pageSize, pageToken))
            return SessionPage(
                sessions: state.sessions.filter { $0.owner == owner }.map(\.session),
                nextPageToken: "more")
        }
    }

    func updateSession(
        _ name: String, _ changes: SessionChanges, owner: String
    ) async throws -> SessionDescription {
        try state.withLock { state in
            try fail(&state)
            let index = try index(name, owner, in: state)
            if let value = changes.displayName { state.sessions[index].session.displayName = value }
            if let value = changes.defaults { state.sessions[index].session.defaults = value }
            if let value = changes.timeToLive { state.sessions[index].session.timeToLive = value }
            return state.sessions[index].session
        }
    }

    func deleteSession(_ name: String, etag: String?, owner: String) async throws {
        try state.withLock { state in
            try fail(&state)
            state.sessions.remove(at: try index(name, owner, in: state))
        }
    }

    func synthesize(_ request: FrameRequest, owner: String) async throws -> Frame {
        try state.withLock { state in
            try fail(&state)
            if case .session(let name) = request.subject { _ = try index(name, owner, in: state) }
            state.frames.append(request)
        }
        return try Self.frame(request.settings)
    }

    func stream<Poses: AsyncSequence & Sendable>(
        _ options: StreamOptions, owner: String, poses: Poses,
        opened: @Sendable (UsedSettings) async throws -> Void,
        answer: @escaping @Sendable (StreamAnswer) async throws -> Void
    ) async throws where Poses.Element == StreamPose {
        let stream = try state.withLock { state in
            try fail(&state)
            var options = options
            let session = state.sessions[try index(options.session, owner, in: state)].session
            options.settings = options.settings.over(session.defaults)
            let stream = FakeFrameStream(options, answering)
            state.streams.append(stream)
            return stream
        }
        try await stream.serve(poses, opened: opened, answer: answer)
    }

    /// A frame of 2 × 2 pixels whose colour is the seed.
    static func frame(_ settings: FrameSettings) throws -> Frame {
        var used = UsedSettings()
        used.model = "models/default"
        used.seed = settings.seed ?? 0
        used.evaluations = settings.evaluations ?? 1
        var timings = StageTimings()
        timings.solve = .milliseconds(3)
        timings.total = .milliseconds(5)
        let value = UInt8(truncatingIfNeeded: used.seed)
        return Frame(
            image: try Image(width: 2, height: 2, filledWith: RGB(value, value, value)),
            used: used, cache: CacheUse(source: true, pose: false), timings: timings)
    }

    var models: [ModelDescription] { state.withLock { $0.models } }
    var backends: [BackendDescription] { state.withLock { $0.backends } }
    var solvers: [SolverDescription] { state.withLock { $0.solvers } }
    var limits: ServingLimits { state.withLock { $0.limits } }
    var statistics: ServingStatistics { state.withLock { $0.statistics } }
    func statistics(of owner: String) -> ServingStatistics {
        var own = ServingStatistics()
        own.sessions = state.withLock { $0.sessions.count { $0.owner == owner } }
        return own
    }
}
