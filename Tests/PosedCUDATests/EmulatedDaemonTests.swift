import Foundation
import PosedTesting
import Testing

/// The daemon on an emulated device.
@Suite struct EmulatedDaemonTests {
    /// It serves until the device is lost; then the frame is refused, and the daemon ends as failed, so that
    /// the service manager starts it anew.
    @Test func endsWhenItsDeviceIsLost() throws {
        try StandIn.with { standIn in
            var standIn = standIn
            let sign = standIn.folder.appendingPathComponent("lost").path
            let socket = standIn.folder.appendingPathComponent("socket").path
            standIn.environment["POSED_STANDIN_LOSE"] = sign
            standIn.environment["POSED_ADDRESS"] = "unix:\(socket)"
            let daemon = standIn.process(
                "posed",
                [
                    "--model", Goldens.url("tiny").path, "--backend", "cuda", "--socket", socket,
                    "--log-level", "warning",
                ])
            let log = Pipe()
            daemon.standardError = log
            try daemon.run()
            defer { if daemon.isRunning { daemon.terminate() } }
            while daemon.isRunning, try standIn.run("posectl", ["status"]).status != 0 {
                Thread.sleep(forTimeInterval: 0.2)
            }
            let out = standIn.folder.appendingPathComponent("frame.png").path
            let good = try standIn.run("posectl", Self.synthesis(out))
            #expect(good.status == 0, "\(good.errors)")
            #expect(FileManager.default.fileExists(atPath: out))
            #expect(FileManager.default.createFile(atPath: sign, contents: nil))
            let bad = try standIn.run("posectl", Self.synthesis(out))
            #expect(bad.status != 0)
            daemon.waitUntilExit()
            #expect(daemon.terminationReason == .exit)
            #expect(daemon.terminationStatus == 70)
            let text = String(
                decoding: log.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            #expect(text.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), "\(text)")
        }
    }

    /// A picture of the small model's person.
    private static func synthesis(_ out: String) -> [String] {
        [
            "synthesize", "--source", Goldens.url("tiny/expected/synthesize/source.png").path,
            "--pose", Goldens.url("tiny/expected/synthesize/pose.json").path, "--out", out,
        ]
    }
}
