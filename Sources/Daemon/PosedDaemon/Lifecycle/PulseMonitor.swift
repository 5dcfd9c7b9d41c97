package import Logging
package import PosedSystemd
package import PosedTelemetry

/// Watches the pulse of the compute loop, and feeds the service manager's watchdog from it.
///
/// The loop goes round at least once a second by itself, and at every look it is seen whether it did. The watchdog is
/// fed only where it did, so that a compute loop that hangs has the service restarted, though everything else in the
/// process may be well.
package struct PulseMonitor: Sendable {
    private let core: any DaemonCore
    private let notifier: Notifier
    private let feedsWatchdog: Bool
    private let period: Duration
    private let status: DaemonStatus
    private let metrics: DaemonMetrics
    private let logger: Logger
    private let sleep: @Sendable (Duration) async throws -> Void

    /// A monitor of a core's compute loop.
    ///
    /// - Parameter watchdog: the service manager's watchdog, if it has one.
    package init(
        core: any DaemonCore, notifier: Notifier, watchdog: WatchdogSettings?, status: DaemonStatus,
        metrics: DaemonMetrics, logger: Logger,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.core = core
        self.notifier = notifier
        self.feedsWatchdog = watchdog != nil
        self.period = min(watchdog?.period ?? .seconds(5), status.stallTimeout / 4)
        self.status = status
        self.metrics = metrics
        self.logger = logger
        self.sleep = sleep
    }

    /// Looks until the task is cancelled.
    package func run() async {
        var feeder = WatchdogFeeder(count: core.pulse)
        status.progressed()
        while (try? await sleep(period)) != nil, !Task.isCancelled {
            switch feeder.look(count: core.pulse) {
            case .feed: feed()
            case .withhold(let looks): withhold(looks)
            }
        }
    }

    private func feed() {
        status.progressed()
        guard feedsWatchdog else { return }
        do {
            try notifier.send(.watchdog)
        } catch {
            logger.warning("The watchdog could not be fed", error: error)
        }
    }

    private func withhold(_ looks: Int) {
        metrics.watchdogWithheld().increment()
        // One look without progress is a long batch; from then on, powers of two, so as not to flood the
        // log of a machine that is in trouble already.
        guard looks > 1, looks.nonzeroBitCount == 1 else { return }
        logger.warning(
            "The compute loop stands still",
            metadata: ["looks": "\(looks)", "watchdog": feedsWatchdog ? "not fed" : "none"])
    }
}
