package import PosedAccounts
package import PosedErrors
import PosedGuarded
import PosedScheduling
package import PosedSessions
package import PosedSolvers
import Synchronization

/// The engine room: models, sessions, caches, and the lanes that do the work.
///
/// Callers wait without holding a thread; what computes, computes on the lanes'. `docs/serving.md`
/// says how work is ordered and what is kept.
package final class ServingEngine: Serving {
    let served: [ServedModel]
    let registry: SolverRegistry
    let lanePool: LanePool
    let counters: ServingCounters
    let store: ServedSessions
    let sessionKeys = SessionKeys()
    let sources: ConditioningCache<any Conditioning>
    let poses: PoseCache<any Conditioning>
    /// Encoded sources that outlive the process; nil without a place for them.
    let saved: SavedSources?
    /// Encoded sources that daemons share; nil where they do not.
    let sharedSources: SharedSources?
    let streamWindow: Int
    /// What was found of backends.
    package let backends: [BackendDescription]
    /// The solvers that requests may name.
    package let solvers: [SolverDescription]
    /// What every caller holds.
    package let accounts: Accounts
    private let bounds: Guarded<ServingLimits>
    private let began = ContinuousClock.now
    private let streamNumbers = Atomic<UInt64>(0)

    /// An engine room around lanes that run, each with all the models.
    ///
    /// - Parameters:
    ///   - archive: where sessions outlive the process.
    ///   - saved: where their encoded sources do.
    ///   - sharedSources: where several daemons have them.
    /// - Throws: `RequestError` for limits that make no sense.
    package init(
        lanes: [Lane], counters: ServingCounters, models: [ServedModel], registry: SolverRegistry,
        solvers: [SolverDescription], backends: [BackendDescription], limits: ServingLimits,
        streamWindow: Int, archive: (any SessionArchive<SessionDefaults>)?,
        saved: SavedSources? = nil, sharedSources: SharedSources? = nil
    ) throws(RequestError) {
        served = models
        self.registry = registry
        lanePool = LanePool(lanes)
        for lane in lanes { lane.scale(by: models) }
        self.counters = counters
        self.solvers = solvers
        self.backends = backends
        self.saved = saved
        self.sharedSources = sharedSources
        self.streamWindow = max(1, streamWindow)
        bounds = Guarded(limits)
        accounts = Accounts(limits.accounts)
        let sources = ConditioningCache<any Conditioning>(
            byteLimit: limits.accounts.total[.conditioningBytes]
        ) { $0.byteCount }
        self.sources = sources
        poses = PoseCache(byteLimit: limits.maxPoseCacheBytes) { $0.byteCount }
        store = try ServedSessions(
            limits: SessionLimits(limits), clock: ContinuousClock(), archive: archive,
            accounts: accounts,
            onRemoval: { [sessionKeys] session, reason in
                let keys = sessionKeys.forget(session.id)
                for key in keys { sources.removeKeeper(of: key) }
                if reason == .deleted { sharedSources?.remove(keys, owner: session.owner) }
                saved?.forget(session.id)
            })
    }

    /// When every lane has begun a step since; each does so at least once a second, even when it is idle.
    package var heartbeat: ContinuousClock.Instant { lanePool.heartbeat }

    /// The models, the default one first.
    package var models: [ModelDescription] { served.map(\.description) }

    /// What requests may ask for.
    package var limits: ServingLimits { bounds.withLock { $0 } }

    /// Takes other limits from now on. What exists stays as long as it is used.
    ///
    /// - Throws: `invalidArgument` for limits that make no sense; the old ones stay.
    package func adopt(_ limits: ServingLimits) throws(RequestError) {
        try store.adopt(SessionLimits(limits))
        bounds.withLock { $0 = limits }
        accounts.limits = limits.accounts
        sources.byteLimit = limits.accounts.total[.conditioningBytes]
        poses.byteLimit = limits.maxPoseCacheBytes
        saved?.byteLimit = limits.maxSavedBytes
        lanePool.adopt(limits)
    }

    /// What was done so far, and what is being done.
    package var statistics: ServingStatistics {
        var statistics = ServingStatistics()
        counters.fill(&statistics)
        let (sources, poses) = (self.sources.statistics, self.poses.statistics)
        statistics.uptime = began.duration(to: .now)
        (statistics.sourceCache.entries, statistics.sourceCache.bytes) =
            (sources.entries, sources.bytes)
        (statistics.poseCache.entries, statistics.poseCache.bytes) = (poses.entries, poses.bytes)
        statistics.framesQueued = lanePool.waiting
        statistics.framesRunning = max(0, lanePool.count - statistics.framesQueued)
        statistics.sessions = store.statistics.sessions
        statistics.sessionBytes = sources.bytes + store.statistics.bytes
        return statistics
    }

    package func statistics(of owner: String) -> ServingStatistics {
        var statistics = ServingStatistics()
        counters.fill(&statistics, of: owner)
        let used = accounts.used(by: .identity(owner))
        statistics.uptime = began.duration(to: .now)
        statistics.framesQueued = used[.queuedFrames]
        statistics.openStreams = used[.streams]
        statistics.sessions = used[.sessions]
        statistics.sessionBytes = used[.sessionBytes] + used[.conditioningBytes]
        return statistics
    }

    /// Uses of sessions that have not ended.
    package var leases: Int { store.statistics.leases }

    /// Requests that had their source encoded with another's.
    package var sourceWaits: Int { sources.statistics.joins }

    var resolver: FrameResolver {
        FrameResolver(models: served, solvers: registry, limits: limits)
    }

    /// Checks what requests would get that say nothing themselves, with every model and under `limits`.
    ///
    /// - Throws: `RequestError`, which names the field.
    package func check(
        _ settings: FrameSettings, within limits: ServingLimits
    ) throws(RequestError) {
        let resolver = FrameResolver(models: served, solvers: registry, limits: limits)
        for model in served.indices { _ = try resolver.resolve(settings, model: model) }
    }

    /// The account of an owner of sessions.
    func account(of owner: String) -> Account { accounts.account(of: .identity(owner)) }

    /// A number for a stream.
    func nextStream() -> UInt64 {
        streamNumbers.wrappingAdd(1, ordering: .relaxed).newValue
    }
}

extension SessionLimits {
    /// What the daemon's limits say of the store of sessions.
    init(_ limits: ServingLimits) {
        self.init()
        let accounts = limits.accounts
        sessions = accounts.total[.sessions]
        sessionsPerOwner = accounts.each[.sessions]
        bytes = accounts.total[.sessionBytes]
        bytesPerOwner = accounts.each[.sessionBytes]
        for case (.identity(let owner), let own) in accounts.named {
            named[owner] = OwnerBounds(sessions: own[.sessions], bytes: own[.sessionBytes])
        }
        picturesPerSession = limits.maxSources
        greatestTimeToLive = limits.maxTimeToLive
        defaultTimeToLive = limits.defaultTimeToLive
        leastTimeToLive = min(leastTimeToLive, limits.defaultTimeToLive)
    }
}

extension SchedulerLimits {
    /// These limits with the daemon's bound of a step.
    func adopting(_ limits: ServingLimits) -> SchedulerLimits {
        var result = self
        result.stepTime = limits.stepTime
        return result
    }
}
