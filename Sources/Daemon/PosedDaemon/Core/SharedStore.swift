internal import PosedGuarded
internal import PosedServing
internal import PosedSessions
internal import PosedStore
internal import PosedTelemetry

/// The store of sessions that daemons share: the connection, and the archive that writes over it.
final class SharedStore: Sendable {
    let archive: SharedArchive<SessionDefaults>
    private let client: RedisClient
    private let isUp = Guarded(false)

    /// The store of a configuration; nil for one that names none.
    init?(
        _ configuration: DaemonConfiguration, onReport: @escaping @Sendable (ArchiveReport) -> Void
    ) {
        guard let address = configuration[Settings.Store.address] else { return nil }
        let timeout = configuration[Settings.Store.timeout]
        var settings = RedisClient.Configuration(address, timeout: timeout)
        settings.credentialsFile = configuration[Settings.Store.authFile]
        client = RedisClient(settings)
        archive = SharedArchive(
            RedisRecords(client, place: address.description), timeout: timeout, onReport: onReport)
    }

    /// Connects.
    func start() {
        client.start { [weak self] reason in
            guard let self else { return }
            self.isUp.withLock { $0 = reason == nil }
            self.archive.reachable(reason)
        }
    }

    /// Sets the gauges.
    func show(in metrics: DaemonMetrics) {
        metrics.storeUp().set(isUp.withLock { $0 } ? 1 : 0)
        let statistics = archive.statistics
        metrics.storeUnsaved().set(Double(statistics.pending + statistics.undone))
    }

    /// Closes the connection; what is not stored by then stays unstored.
    func shutDown() async { await client.shutDown() }
}
