internal import PosedBackend
internal import PosedServing

extension DaemonConfiguration {
    /// What the engine room is to serve, and how.
    ///
    /// - Throws: `BackendError` for a placement or a type that cannot be.
    ///
    /// - Parameter shares: how its memory is divided.
    func serving(_ shares: MemoryShares) throws -> ServingConfiguration {
        let model = ServingConfiguration.Model(
            name: "default", folder: self[Settings.Model.folder] ?? "",
            placements: try Placement.copies(parsing: self[Settings.Model.backend]),
            types: try PartTypes(parsing: self[Settings.Model.dtype]))
        var serving = ServingConfiguration(models: [model])
        serving.threads = self[Settings.Model.threads]
        serving.memoryLimit = self[Settings.Model.memoryLimit] ?? 0
        serving.backendFolder = self[Settings.Model.backendPath]
        let idle = self[Settings.Model.sourceEncoderIdle]
        serving.sourceEncoderIdle = idle == .zero ? nil : idle
        serving.solverFiles = self[Settings.Model.solverFiles]
        serving.solverLibraries = self[Settings.Model.solverLibraries]
        serving.batchRows = .automatic(atMost: self[Settings.Scheduling.maxBatchRows])
        serving.stateFolder =
            self[Settings.Store.address] == nil ? self[Settings.Sessions.stateDirectory] : nil
        serving.limits = servingLimits(shares)
        return serving
    }

    /// What requests may ask for.
    func servingLimits(_ shares: MemoryShares) -> ServingLimits {
        var limits = ServingLimits()
        limits.maxEvaluations = self[Settings.Limits.maxNfe]
        limits.maxSide = self[Settings.Limits.maxSide]
        limits.maxSources = self[Settings.Limits.maxSources]
        limits.frameTime = self[Settings.Limits.frameTime]
        limits.stepTime =
            self[Settings.Limits.stepTime] ?? self[Settings.Operations.stallTimeout] / 3
        limits.accounts = accountLimits(shares)
        limits.maxPoseCacheBytes = shares.poseBytes
        limits.maxSavedBytes = shares.savedBytes
        limits.defaultTimeToLive = self[Settings.Sessions.idleTimeout]
        limits.maxTimeToLive = self[Settings.Sessions.maxIdleTimeout]
        return limits
    }

    /// What requests get that do not say otherwise.
    var requestDefaults: RequestDefaults {
        var settings = FrameSettings()
        settings.solver = self[Settings.Sampling.solver]
        settings.evaluations = self[Settings.Sampling.nfe]
        settings.guidance = self[Settings.Sampling.guidance]
        settings.timeShift = self[Settings.Sampling.timeShift]
        return RequestDefaults(
            settings: settings, deadline: self[Settings.Scheduling.defaultDeadline],
            maxLag: self[Settings.Scheduling.defaultMaxLag])
    }
}
