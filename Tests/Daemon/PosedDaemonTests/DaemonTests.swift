internal import Foundation
internal import Logging
internal import PosedDaemon
internal import PosedGuarded
internal import PosedSystemd
internal import PosedTelemetry
internal import PosedTesting
internal import Testing

/// A daemon around a scripted core, with a service manager that listens and time that stands still.
final class DaemonRig: Sendable {
    let core: ScriptedCore
    let time = ManualTime()
    let daemon: Daemon
    let folder: String
    private let sink: Guarded<NotifySink>
    private let exit: Task<DaemonExit, Never>

    init(
        _ script: ScriptedCore.Script = ScriptedCore.Script(), folder: TemporaryFolder,
        yaml: String = "", watchdog: Duration? = nil
    ) throws {
        let file = try folder.write(
            "model: {folder: \(folder.path)}\nlog: {level: critical}\n" + yaml)
        let source = ConfigurationSource(file: file, environment: [:], flags: [])
        let sink = try NotifySink(abstract: true)
        let (core, time) = (ScriptedCore(script), time)
        let environment = DaemonEnvironment(
            notifier: try Notifier(environment: ["NOTIFY_SOCKET": sink.address]),
            watchdog: watchdog.map(WatchdogSettings.init(interval:)),
            log: LogSink(format: .text, level: .critical), version: "1.2.3",
            sleep: { try await time.sleep($0) })
        let daemon = try Daemon(
            core: core, configuration: try source.load(), source: source, environment: environment)
        self.core = core
        self.daemon = daemon
        self.folder = folder.path
        self.sink = Guarded(sink)
        exit = Task { await daemon.run() }
    }

    /// Replaces the configuration's file.
    func write(_ yaml: String) throws {
        let text = "model: {folder: \(folder)}\nlog: {level: critical}\n" + yaml
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/posed.yaml"))
    }

    /// How the daemon ended.
    var status: DaemonExit { get async { await exit.value } }

    /// The next message to the service manager that has an assignment, read on a thread of its own.
    func message(with key: String) async -> String? {
        await withCheckedContinuation { (continuation: CheckedContinuation<String?, Never>) in
            Thread.detachNewThread {
                let text = self.sink.withLock { sink -> String? in
                    while let message = sink.receive()?.text {
                        let lines = message.split(separator: "\n")
                        if lines.contains(where: { $0.hasPrefix(key + "=") }) {
                            return lines.joined(separator: " ")
                        }
                    }
                    return nil
                }
                continuation.resume(returning: text)
            }
        }
    }
}

@Suite("The daemon")
struct DaemonTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test("tells the service manager of its life, and ends with nothing lost")
    func life() async throws {
        let rig = try DaemonRig(folder: folder)
        #expect(await rig.message(with: "STATUS") == "STATUS=Starting")
        let loading = await rig.message(with: "STATUS")
        if loading?.hasPrefix("READY") == false {
            // Progress may be overtaken by the end of the start.
            #expect(loading == "STATUS=Loading the transformer EXTEND_TIMEOUT_USEC=60000000")
            #expect(await rig.message(with: "READY") == "READY=1 STATUS=Serving")
        }
        await rig.time.sleepers(1)
        #expect(rig.daemon.status.isReady)
        rig.daemon.receive(.terminate)
        #expect(await rig.message(with: "STOPPING") == "STOPPING=1 STATUS=Draining")
        rig.core.finishDraining()
        #expect(await rig.status == .drained)
        var calls = rig.core.calls.makeAsyncIterator()
        #expect(await calls.next() == .start)
        #expect(await calls.next() == .drain)
        #expect(await calls.next() == .stop)
    }

    @Test("asks for more time for as long as it loads, though the load tells of no progress")
    func slowStart() async throws {
        var script = ScriptedCore.Script()
        script.startsWhenTold = true
        let rig = try DaemonRig(script, folder: folder)
        let progress = await rig.message(with: "EXTEND_TIMEOUT_USEC")
        #expect(progress?.hasSuffix("EXTEND_TIMEOUT_USEC=60000000") == true)
        for _ in 0..<30 {
            await rig.time.sleepers(1)
            rig.time.advance(by: .seconds(5))
            let sign = await rig.message(with: "EXTEND_TIMEOUT_USEC")
            #expect(sign == "EXTEND_TIMEOUT_USEC=15000000")
        }
        rig.core.finishStarting()
        #expect(await rig.message(with: "READY") == "READY=1 STATUS=Serving")
        await end(rig)
    }

    @Test("reloads leave nothing behind")
    func reloads() async throws {
        let rig = try DaemonRig(folder: folder)
        _ = await rig.message(with: "READY")
        func reload() async throws {
            rig.daemon.receive(.hangup)
            _ = await rig.message(with: "RELOADING")
            _ = await rig.message(with: "READY")
        }
        try await reload()
        let few = await rig.daemon.openTasks
        for _ in 0..<20 { try await reload() }
        #expect(await rig.daemon.openTasks <= few + 1)
        await end(rig)
    }

    @Test("says why it could not start")
    func startFailure() async throws {
        var script = ScriptedCore.Script()
        script.startFailure = "the model has no transformer"
        let rig = try DaemonRig(script, folder: folder)
        #expect(await rig.status == .startFailed)
        #expect(rig.daemon.status.detail == "Could not start: the model has no transformer")
        #expect(!rig.daemon.status.isReady)
    }

    private static let problems = [
        ConfigurationProblem("--set", "sampling.solver should be known"),
        ConfigurationProblem("posed.yaml:4", "limits.maxNfe should be enough"),
    ]

    @Test("ends as with any configuration that is refused where the core refuses it")
    func startRefusal() async throws {
        var script = ScriptedCore.Script()
        script.startProblems = Self.problems
        let rig = try DaemonRig(script, folder: folder)
        #expect(await rig.status == .configuration)
        #expect(
            rig.daemon.status.detail
                == "Configuration refused: --set: sampling.solver should be known; "
                + "posed.yaml:4: limits.maxNfe should be enough")
        #expect(!rig.daemon.status.isReady)
    }

    @Test("keeps the old configuration where the core names settings of the new one")
    func reloadRefusal() async throws {
        var script = ScriptedCore.Script()
        script.reloadProblems = Self.problems
        let rig = try DaemonRig(script, folder: folder)
        _ = await rig.message(with: "READY")
        try rig.write("watchdog: {stallTimeout: 7s}\n")
        rig.daemon.receive(.hangup)
        let said = await rig.message(with: "READY")
        #expect(said?.contains("--set: sampling.solver should be known (and 1 more)") == true)
        #expect(rig.daemon.status.stallTimeout == .seconds(30))
        await end(rig)
    }

    @Test("keeps the service manager waiting while it drains, and gives up when the time is over")
    func drainExpires() async throws {
        var script = ScriptedCore.Script()
        script.statistics.framesRunning = 2
        script.statistics.framesQueued = 5
        let rig = try DaemonRig(script, folder: folder, yaml: "shutdown: {drainTimeout: 12s}\n")
        _ = await rig.message(with: "READY")
        await rig.time.sleepers(1)  // the monitor
        rig.daemon.receive(.terminate)
        let waiting = "STATUS=Draining; 7 frames left EXTEND_TIMEOUT_USEC=15000000"
        #expect(await rig.message(with: "EXTEND_TIMEOUT_USEC") == waiting)
        await rig.time.sleepers(3)  // the monitor, the limit, and the next sign of life
        rig.time.advance(by: .seconds(5))
        #expect(await rig.message(with: "EXTEND_TIMEOUT_USEC") == waiting)
        await rig.time.sleepers(3)
        rig.time.advance(by: .seconds(7))
        #expect(await rig.status == .drainExpired)
        var calls = rig.core.calls.makeAsyncIterator()
        #expect(await calls.next() == .start)
        #expect(await calls.next() == .drain)
        #expect(await calls.next() == .abandon)
        // Sessions are seen written down all the same.
        #expect(await calls.next() == .stop)
    }

    @Test("ends at once when it is told twice")
    func forced() async throws {
        let rig = try DaemonRig(folder: folder)
        _ = await rig.message(with: "READY")
        rig.daemon.receive(.terminate)
        _ = await rig.message(with: "STOPPING")
        rig.daemon.receive(.interrupt)
        #expect(await rig.status == DaemonExit(rawValue: 130))
    }

    @Test("ends where the core fails")
    func coreFails() async throws {
        let rig = try DaemonRig(folder: folder)
        _ = await rig.message(with: "READY")
        rig.core.fail(DaemonError(.core, "the device is lost"))
        #expect(await rig.status == .failed)
        #expect(rig.daemon.status.detail == "Failed: the device is lost")
    }

    @Test("feeds the watchdog while the compute loop moves, and not when it stands still")
    func watchdog() async throws {
        let rig = try DaemonRig(folder: folder, watchdog: .seconds(8))
        _ = await rig.message(with: "READY")
        for _ in 0..<3 {
            await rig.time.sleepers(1)
            rig.time.advance(by: .seconds(2))
            #expect(await rig.message(with: "WATCHDOG") == "WATCHDOG=1")
        }
        await rig.time.sleepers(1)
        rig.core.script.withLock { $0.isAlive = false }
        let withheld = DaemonTests.count("posed_watchdog_withheld_total", rig.daemon)
        #expect(withheld == 0)
        for looks in 1...5 {
            await rig.time.sleepers(1)
            rig.time.advance(by: .seconds(2))
            await rig.time.sleepers(1)
            #expect(
                DaemonTests.count("posed_watchdog_withheld_total", rig.daemon) == Double(looks))
        }
        // Nothing was said meanwhile: the next message is the end's.
        rig.daemon.receive(.terminate)
        #expect(await rig.message(with: "STATUS") == "STOPPING=1 STATUS=Draining")
        rig.core.finishDraining()
        _ = await rig.status
    }

    @Test("reloads what changed, and says so")
    func reload() async throws {
        let rig = try DaemonRig(folder: folder)
        _ = await rig.message(with: "READY")
        try rig.write("limits: {maxNfe: 77}\nwatchdog: {stallTimeout: 7s}\n")
        rig.daemon.receive(.hangup)
        #expect(
            await rig.message(with: "RELOADING")?.hasPrefix("RELOADING=1 MONOTONIC_USEC=") == true)
        #expect(
            await rig.message(with: "READY")
                == "READY=1 STATUS=Serving; reloaded, changed limits.maxNfe, watchdog.stallTimeout")
        var calls = rig.core.calls.makeAsyncIterator()
        #expect(await calls.next() == .start)
        #expect(await calls.next() == .reload(maxNfe: 77))
        #expect(rig.daemon.status.stallTimeout == .seconds(7))
        #expect(rig.daemon.registry.exposition().contains("reloads_total{outcome=\"applied\"} 1\n"))
        await end(rig)
    }

    @Test(
        "keeps the old configuration where the new one is wrong",
        arguments: [
            ("limits: {maxNfe: 0}", "posed.yaml:3: limits.maxNfe should be"),
            ("limits: {maxNfe: 0}\na: b", "(and 1 more)"),
            ("limits: [", "should be YAML"),
            ("limits: {maxNfe: 5}\nmodel.threads: 2", "a restart is needed for model.threads"),
        ])
    func refusedReload(yaml: String, reason: String) async throws {
        let rig = try DaemonRig(folder: folder)
        _ = await rig.message(with: "READY")
        try rig.write(yaml)
        rig.daemon.receive(.hangup)
        let status = await rig.message(with: "READY")
        #expect(
            status?.hasPrefix("READY=1 STATUS=Serving with the old configuration; reload refused: ")
                == true)
        #expect(status?.contains(reason) == true, "\(status ?? "")")
        #expect(rig.daemon.registry.exposition().contains("reloads_total{outcome=\"refused\"} 1\n"))
        // The core was asked nothing, and a good file is taken afterwards.
        try rig.write("limits: {maxNfe: 6}\n")
        rig.daemon.receive(.hangup)
        #expect(await rig.message(with: "READY")?.contains("changed limits.maxNfe") == true)
        var calls = rig.core.calls.makeAsyncIterator()
        #expect(await calls.next() == .start)
        #expect(await calls.next() == .reload(maxNfe: 6))
        await end(rig)
    }

    @Test("keeps all of the old configuration where the core refuses the new one")
    func coreRefuses() async throws {
        var script = ScriptedCore.Script()
        script.reloadFailure = "the tokens file has a line without a token"
        let rig = try DaemonRig(script, folder: folder)
        _ = await rig.message(with: "READY")
        try rig.write("watchdog: {stallTimeout: 7s}\n")
        rig.daemon.receive(.hangup)
        #expect(await rig.message(with: "READY")?.contains("a line without a token") == true)
        #expect(rig.daemon.status.stallTimeout == .seconds(30))
        await end(rig)
    }

    private func end(_ rig: DaemonRig) async {
        rig.daemon.receive(.terminate)
        rig.core.finishDraining()
        #expect(await rig.status == .drained)
    }

    /// The value of a metric without labels.
    private static func count(_ name: String, _ daemon: Daemon) -> Double? {
        daemon.registry.exposition().split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    }
}
