internal import ServiceLifecycle
internal import UnixSignals

/// Catches the signals of the process, from its making on, and tells the daemon of them.
struct SignalService: Service {
    private let signals: UnixSignalsSequence
    private let report: @Sendable (DaemonSignal) -> Void

    /// Catches the signals from now on.
    init() async {
        signals = await UnixSignalsSequence(trapping: .sighup, .sigint, .sigterm)
        report = { _ in }
    }

    private init(_ signals: UnixSignalsSequence, report: @escaping @Sendable (DaemonSignal) -> Void)
    {
        self.signals = signals
        self.report = report
    }

    /// The same signals, told to a daemon.
    func reporting(to daemon: Daemon) -> SignalService {
        SignalService(signals) { daemon.receive($0) }
    }

    func run() async throws {
        for await signal in signals.cancelOnGracefulShutdown() {
            if let known = DaemonSignal(rawValue: signal.rawValue) { report(known) }
        }
    }
}
