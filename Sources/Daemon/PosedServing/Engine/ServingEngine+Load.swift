import CPosedVersion
import PosedBackend
import PosedGuarded
import PosedPipeline
import PosedScheduling
import PosedSessions
import PosedSolvers
import PosedTensor

extension ServingEngine {
    /// Loads the models, warms them up, and starts the lanes, one after another. Everything that computes
    /// does so on a lane's thread. Sessions of an earlier process wait for `restoreSessions`.
    ///
    /// - Parameters:
    ///   - onProgress: told in words what is being done; from any thread.
    /// - Throws: `RequestError`, and what loading a model throws.
    package static func load(
        _ configuration: ServingConfiguration, metrics: any ServingMetrics = NoMetrics(),
        onProgress: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> ServingEngine {
        let solvers = try SolverCatalog(configuration)
        // First of all: another daemon may have the folder.
        let folder = try configuration.stateFolder.map { path in
            try DirectoryArchive<SessionDefaults>(
                StateDirectory(path), onReport: configuration.onArchive)
        }
        let counters = ServingCounters(metrics)
        var limits = SchedulerLimits().adopting(configuration.limits)
        limits.batchRows = configuration.batchRows.most
        limits.solves = max(1, configuration.maxSolves)
        limits.allowance = configuration.deadlineAllowance
        let count = try ModelLoader.lanes(of: configuration)
        let lanes = (0..<count).map { _ in Lane(limits: limits, metrics: counters) }
        let registry = try await registry(configuration)
        var loaded: [ModelLoader.Loaded] = []
        do {
            for (number, lane) in lanes.enumerated() {
                loaded.append(
                    try await lane.start(
                        number, configuration, registry, solvers.registry, onProgress: onProgress))
            }
            let models = try ModelLoader.joined(loaded)
            var hasher = ContentHasher(kind: "models")
            for model in models { hasher.combine("model", model.identity) }
            folder?.identify(hasher.key())
            let saved = await savedSources(configuration, models)
            let archive: (any SessionArchive<SessionDefaults>)? =
                folder ?? configuration.sharedSessions
            return try ServingEngine(
                lanes: lanes, counters: counters, models: models.map { solvers.completing($0) },
                registry: solvers.registry, solvers: solvers.descriptions,
                backends: ModelLoader.backends(registry, used: models),
                limits: configuration.limits, streamWindow: configuration.streamWindow,
                archive: archive, saved: saved,
                sharedSources: configuration.sourceRecords.map {
                    SharedSources(
                        $0, fingerprint: fingerprint(models),
                        keeping: configuration.limits.defaultTimeToLive,
                        onReport: configuration.onArchive)
                })
        } catch {
            for lane in lanes { lane.stop() }
            throw error
        }
    }

    /// The sources that an earlier process saved, looked through.
    private static func savedSources(
        _ configuration: ServingConfiguration, _ models: [ServedModel]
    ) async -> SavedSources? {
        guard let store = configuration.restartStore else { return nil }
        let saved = SavedSources(
            store, fingerprint: fingerprint(models), byteLimit: configuration.limits.maxSavedBytes,
            onReport: configuration.onArchive)
        await HostWork.run { saved.adoptInherited() }
        return saved
    }

    /// All that encoded sources depend on besides their keys.
    private static func fingerprint(_ models: [ServedModel]) -> ContentKey {
        var hasher = ContentHasher(kind: "saved sources")
        // Another version may encode otherwise.
        hasher.combine("version", POSED_VERSION)
        for model in models { hasher.combine("model", model.identity) }
        return hasher.key()
    }

    /// The backends that were found, or are looked for now.
    private static func registry(
        _ configuration: ServingConfiguration
    ) async throws -> BackendRegistry {
        if let known = configuration.backends { return known }
        let found = await HostWork.run {
            Result {
                try BackendRegistry.discover(.standard(explicit: configuration.backendFolder))
            }
        }
        return try found.get()
    }
}

extension Lane {
    /// Starts the thread: it loads its copies of the models, and warms them up.
    ///
    /// - Parameter number: the lane's place in the pool.
    /// - Returns: What was loaded.
    fileprivate func start(
        _ number: Int, _ configuration: ServingConfiguration, _ registry: BackendRegistry,
        _ solvers: SolverRegistry, onProgress: @escaping @Sendable (String) -> Void
    ) async throws -> ModelLoader.Loaded {
        let loaded = Guarded(ModelLoader.Loaded())
        try await start { lane in
            let models = try ModelLoader.load(
                configuration, lane: number, from: registry, onProgress: onProgress)
            loaded.withLock { $0 = models }
            let executor = PipelineExecutor(
                models.models, solvers, batchRows: configuration.batchRows.most,
                benchLimit: models.models.count + max(0, configuration.extraSizes),
                sourceEncoderIdle: configuration.sourceEncoderIdle,
                largeEncoder: configuration.largeEncoder)
            for (index, model) in models.models.enumerated() where configuration.warmsUp {
                onProgress("warming up \(models.served[index].description.name)")
                let size = model.pictureSize
                let form = LaneForm(
                    lane: number, model: index, width: size.width, height: size.height)
                lane.learn(try executor.warmUp(form) { .now }, form, configuration.batchRows)
            }
            try executor.limit(toRows: lane.limits.batchRows)
            return executor
        }
        return loaded.withLock { $0 }
    }

    /// Has the costs of sizes that were never worked on predicted from those of the models' own.
    func scale(by models: [ServedModel]) {
        state.withLock { state in
            state.scheduler.predict { form in
                models.indices.contains(form.model) ? models[form.model].likeness(of: form) : nil
            }
        }
    }

    /// Takes note of what a warm-up cost, and chooses the rows of batches where that is left to it.
    func learn(
        _ costs: [PipelineExecutor.Cost], _ form: LaneForm,
        _ rows: ServingConfiguration.BatchRows
    ) {
        state.withLock { state in
            for cost in costs {
                switch cost {
                case .stage(let stage, let time): state.scheduler.learn(stage, of: form, time)
                case .evaluation(let rows, let time):
                    state.scheduler.learn(evaluationOf: rows, of: form, time)
                }
            }
            guard case .automatic(let most) = rows,
                let few = state.scheduler.costs.economicalRows(upTo: max(2, most), form)
            else { return }
            // Among several models the one that gains most by company decides.
            let isFirst = form.model == 0
            let before = isFirst ? 2 : state.scheduler.limits.batchRows
            state.scheduler.limits.batchRows = max(2, few, before)
            // A gain of less than a quarter may be noise, and is worth less than an even pace.
            let economical = state.scheduler.costs.economicalRows(
                upTo: max(2, most), form, share: 0.75)
            state.scheduler.limits.economicalRows = max(
                economical ?? few, isFirst ? 1 : state.scheduler.limits.economicalRows)
        }
    }
}
