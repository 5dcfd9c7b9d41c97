import Foundation
import PosedTesting
import Testing

/// The daemon on emulated devices.
@Suite struct EmulatedDaemonTests {
    /// It serves until the device is lost; then the frame is refused, and the daemon ends as failed, so that
    /// the service manager starts it anew.
    @Test func endsWhenItsDeviceIsLost() async throws {
        try await Self.withDaemon("cuda") { daemon in
            #expect(try await daemon.synthesize())
            try daemon.lose("")
            #expect(try await !daemon.synthesize())
            let text = try await daemon.end()
            #expect(daemon.process.terminationStatus == 70)
            #expect(text.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), "\(text)")
        }
    }

    /// With a copy on another device it goes on, until that is lost, too.
    @Test func goesOnWithTheOtherDevice() async throws {
        try await Self.withDaemon("cuda:0+cuda:1") { daemon in
            #expect(try await daemon.synthesize())
            try daemon.lose("0")
            #expect(try await !daemon.synthesize())
            #expect(try await daemon.synthesize())
            try daemon.lose("1")
            #expect(try await !daemon.synthesize())
            let text = try await daemon.end()
            #expect(daemon.process.terminationStatus == 70)
            #expect(text.contains("Copy 1 of the model lost its device"), "\(text)")
            #expect(text.contains("1 left, going on"), "\(text)")
        }
    }

    /// Or it drains, where the configuration says so.
    @Test func drainsWhenOneOfItsDevicesIsLost() async throws {
        try await Self.withDaemon("cuda:0+cuda:1", ["--set", "model.deviceLoss=drain"]) { daemon in
            #expect(try await daemon.synthesize())
            try daemon.lose("0")
            #expect(try await !daemon.synthesize())
            let text = try await daemon.end()
            #expect(daemon.process.terminationStatus == 70)
            #expect(text.contains("1 left, draining"), "\(text)")
        }
    }

    /// A daemon with the small model on two emulated devices, until the end of `body`.
    private static func withDaemon(
        _ backend: String, _ options: [String] = [], _ body: (RunningDaemon) async throws -> Void
    ) async throws {
        try await StandIn.with(StandIn.libraries, ["POSED_STANDIN_DEVICES": "2"]) { standIn in
            let daemon = try await RunningDaemon(standIn, backend, options)
            defer { if daemon.process.isRunning { daemon.process.terminate() } }
            try await body(daemon)
        }
    }
}

/// A daemon that serves, and whose devices can be taken away.
private struct RunningDaemon {
    let process: Process
    private let standIn: StandIn
    private let sign: URL
    private let log = Pipe()

    init(_ standIn: StandIn, _ backend: String, _ options: [String]) async throws {
        var standIn = standIn
        sign = standIn.folder.appendingPathComponent("lost")
        let socket = standIn.folder.appendingPathComponent("socket").path
        standIn.environment["POSED_STANDIN_LOSE"] = sign.path
        standIn.environment["POSED_ADDRESS"] = "unix:\(socket)"
        self.standIn = standIn
        process = standIn.process(
            "posed",
            [
                "--model", Goldens.url("tiny").path, "--backend", backend, "--socket", socket,
                "--http", "none", "--log-level", "warning",
            ] + options)
        process.standardError = log
        try process.run()
        while process.isRunning, try await standIn.run("posectl", ["status"]).status != 0 {
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// A picture of the small model's person; says whether there is one.
    func synthesize() async throws -> Bool {
        let out = standIn.folder.appendingPathComponent("frame.png").path
        try? FileManager.default.removeItem(atPath: out)
        let outcome = try await standIn.run(
            "posectl",
            [
                "synthesize", "--source",
                Goldens.url("tiny/expected/synthesize/source.png").path, "--pose",
                Goldens.url("tiny/expected/synthesize/pose.json").path, "--out", out,
                // Kernels may have to be compiled first.
                "--timeout", "10m",
            ])
        return outcome.status == 0 && FileManager.default.fileExists(atPath: out)
    }

    /// Loses the device of that number from its next kernel on; "" all of them.
    func lose(_ device: String) throws { try Data(device.utf8).write(to: sign) }

    /// Waits for the end, which comes soon or never; gives what was logged.
    func end() async throws -> String {
        let patience = Date(timeIntervalSinceNow: 120)
        while process.isRunning, Date() < patience { try await Task.sleep(for: .milliseconds(50)) }
        process.terminate()
        process.waitUntilExit()
        return String(decoding: log.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}
