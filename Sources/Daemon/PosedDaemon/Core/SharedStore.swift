internal import PosedBase
internal import PosedGuarded
internal import PosedServing
internal import PosedSessions
internal import PosedStore
internal import PosedTelemetry

/// The store of sessions that daemons share: the connection, and the archive that writes over it.
final class SharedStore: Sendable {
    let archive: SharedArchive<SessionDefaults>
    /// Encoded sources; nil where they are not shared.
    let sources: (any SourceRecords)?
    private let client: RedisClient
    /// A connection of their own, as they are large: sessions are not looked up behind them.
    private let sourceClient: RedisClient?
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
        sourceClient = configuration[Settings.Store.conditioning] ? RedisClient(settings) : nil
        sources = sourceClient.map { RedisSources(client: $0) }
        archive = SharedArchive(
            RedisRecords(client, place: address.description), timeout: timeout, onReport: onReport)
    }

    /// Connects.
    func start() {
        sourceClient?.start()
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
    func shutDown() async {
        await client.shutDown()
        await sourceClient?.shutDown()
    }
}

/// Encoded sources in Redis, which forgets them by itself.
private struct RedisSources: SourceRecords {
    let client: RedisClient

    func source(
        _ key: String, keeping duration: Duration
    ) async throws(StorageError) -> [UInt8]? {
        let words = ["GETEX", key, "PX", Self.milliseconds(duration)]
        return try await client.call(words.map { Array($0.utf8) }).content
    }

    func keep(
        _ bytes: [UInt8], as key: String, for duration: Duration
    ) async throws(StorageError) {
        let (set, time) = (["SET", key], ["PX", Self.milliseconds(duration)])
        _ = try await client.call(
            set.map { Array($0.utf8) } + [bytes] + time.map { Array($0.utf8) })
    }

    func remove(_ keys: [String]) async throws(StorageError) {
        _ = try await client.call((["DEL"] + keys).map { Array($0.utf8) })
    }

    private static func milliseconds(_ duration: Duration) -> String {
        String(max(1, duration.wholeMilliseconds))
    }
}
