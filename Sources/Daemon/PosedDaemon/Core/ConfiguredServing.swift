package import PosedAccounts
internal import PosedGuarded
package import PosedServing
import PosedSolvers

/// An engine room whose callers get the configuration's defaults where they say nothing.
///
/// A session takes them over when it is made, so that its frames stay as they are when the configuration
/// changes.
package final class ConfiguredServing: Serving {
    private let engine: any Serving
    private let defaults: Guarded<RequestDefaults>

    /// An engine room and its callers' defaults.
    package init(_ engine: any Serving, defaults: RequestDefaults) {
        self.engine = engine
        self.defaults = Guarded(defaults)
    }

    /// The defaults from now on.
    package var requestDefaults: RequestDefaults {
        get { defaults.withLock { $0 } }
        set { defaults.withLock { $0 = newValue } }
    }

    package func createSession(_ session: NewSession, owner: String) async throws
        -> SessionDescription
    {
        let defaults = requestDefaults
        var session = session
        session.defaults = session.defaults.over(defaults.settings)
        session.deadline = session.deadline ?? defaults.deadline.map(ContinuousClock.now.advanced)
        return try await engine.createSession(session, owner: owner)
    }

    package func updateSession(_ name: String, _ changes: SessionChanges, owner: String)
        async throws -> SessionDescription
    {
        var changes = changes
        changes.defaults = changes.defaults?.over(requestDefaults.settings)
        return try await engine.updateSession(name, changes, owner: owner)
    }

    package func synthesize(_ request: FrameRequest, owner: String) async throws -> Frame {
        let defaults = requestDefaults
        var request = request
        if case .pictures = request.subject {
            request.settings = request.settings.over(defaults.settings)
        }
        request.deadline = request.deadline ?? defaults.deadline.map(ContinuousClock.now.advanced)
        return try await engine.synthesize(request, owner: owner)
    }

    package func stream<Poses: AsyncSequence & Sendable>(
        _ options: StreamOptions, owner: String, poses: Poses,
        opened: @Sendable (UsedSettings) async throws -> Void,
        answer: @escaping @Sendable (StreamAnswer) async throws -> Void
    ) async throws where Poses.Element == StreamPose {
        var options = options
        if !options.everyPose { options.maxLag = options.maxLag ?? requestDefaults.maxLag }
        try await engine.stream(
            options, owner: owner, poses: poses, opened: opened, answer: answer)
    }

    package func session(_ name: String, owner: String) async throws -> SessionDescription {
        try await engine.session(name, owner: owner)
    }

    package func sessions(
        owner: String, pageSize: Int, pageToken: String
    ) async throws -> SessionPage {
        try await engine.sessions(owner: owner, pageSize: pageSize, pageToken: pageToken)
    }

    package func deleteSession(_ name: String, etag: String?, owner: String) async throws {
        try await engine.deleteSession(name, etag: etag, owner: owner)
    }

    /// The models, with the defaults that requests really get.
    package var models: [ModelDescription] {
        let (settings, solvers) = (requestDefaults.settings, engine.solvers)
        return engine.models.map { $0.completed(with: settings, among: solvers) }
    }
    package var backends: [BackendDescription] { engine.backends }
    package var solvers: [SolverDescription] { engine.solvers }
    package var limits: ServingLimits { engine.limits }
    package var statistics: ServingStatistics { engine.statistics }
    package func statistics(of owner: String) -> ServingStatistics {
        engine.statistics(of: owner)
    }
    package var accounts: Accounts { engine.accounts }
}

extension ModelDescription {
    /// The model as a request gets it that says nothing, where `settings` go before the model's own.
    fileprivate func completed(
        with settings: FrameSettings, among solvers: [SolverDescription]
    ) -> ModelDescription {
        var model = self
        model.defaultSolver = settings.solver ?? defaultSolver
        model.defaultGuidance = settings.guidance ?? defaultGuidance
        guard let chosen = solvers.first(where: { $0.name == model.defaultSolver }) else {
            return model
        }
        let cost = chosen.cost(
            lastStepFirstOrder: settings.lastStepFirstOrder ?? defaultLastStepFirstOrder)
        if let budget = settings.evaluations {
            // A solver of fixed steps makes as many as the budget has room for.
            let steps = max(1, cost.steps(evaluations: budget))
            model.defaultEvaluations =
                chosen.isAdaptive ? budget : cost.evaluations(steps: steps)
        } else {
            model.defaultEvaluations = cost.evaluations(steps: defaultSteps)
        }
        return model
    }
}
