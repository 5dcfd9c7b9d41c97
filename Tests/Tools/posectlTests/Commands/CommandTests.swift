import Foundation
import PosedProtos
import PosedVision
import SwiftProtobuf
import PosedTesting
import Testing

/// Commands as scripts run them, against a daemon behind a socket.
@Suite(.timeLimit(.minutes(10))) struct CommandTests {
    private func run(
        _ daemon: FakeDaemon, _ arguments: [String], input: String = "", status: Int32 = 0
    ) async throws -> BuiltProgram.Outcome {
        // A machine with other things to do may take its time.
        let outcome = try await PosectlProcess.run(
            arguments + ["--address", "unix:\(daemon.path)", "--timeout", "10m"], input: input)
        #expect(outcome.status == status, "\(outcome.errors)")
        return outcome
    }

    private func picture(_ folder: String) throws -> String {
        let path = "\(folder)/person.png"
        try Image(width: 2, height: 2, filledWith: .white).writePNG(to: path)
        return path
    }

    private func write(_ text: String, _ path: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func sessionsAreMadeChangedAndEnded() async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                let token = try write("secret\n", "\(folder)/token")
                let made = try await run(
                    daemon,
                    [
                        "sessions", "create", "--source", try picture(folder), "--name", "Ada",
                        "--nfe", "3", "--format", "raw", "--token-file", token,
                    ])
                #expect(made.text == "sessions/1\n")
                let session = daemon.with { $0.sessions["sessions/1"] }
                #expect(session?.displayName == "Ada")
                #expect(session?.defaultSettings.nfe == 3)
                #expect(session?.defaultSettings.imageFormat == .rawRgb8)
                #expect(session?.sourceCount == 1)
                #expect(daemon.with { $0.tokens } == ["Bearer secret"])
                let listed = try await run(daemon, ["sessions"])
                #expect(listed.text.contains("Ada"))
                _ = try await run(daemon, ["sessions", "delete", "1"])
                let missing = try await run(daemon, ["sessions", "delete", "1"], status: 1)
                #expect(missing.errors == "posectl: NOT_FOUND: there is no session sessions/1\n")
            }
        }
    }

    /// Nothing is sent: there is nobody at these addresses, and no time is given to look for them.
    @Test(arguments: ["192.0.2.1:7443", "[2001:db8::1]:7443", "posed.example:7443"])
    func aTokenDoesNotTravelInTheClear(address: String) async throws {
        try await PosectlProcess.withFolder { folder in
            let token = try write("secret\n", "\(folder)/token")
            let outcome = try await PosectlProcess.run(
                ["sessions", "--address", address, "--token-file", token, "--timeout", "1ms"])
            #expect(outcome.status != 0)
            #expect(
                outcome.errors.contains("a token over TCP without TLS can be read by anybody"))
            #expect(!outcome.errors.contains("secret"))
        }
    }

    @Test func anUpdateSaysWhatIsToChange() async throws {
        try await FakeDaemon.run { daemon in
            _ = try await run(daemon, ["sessions", "update", "a", "--name", ""])
            _ = try await run(daemon, ["sessions", "update", "a", "--nfe", "4", "--ttl", "2h"])
            _ = try await run(daemon, ["sessions", "update", "a", "--clear-settings"])
            let updates = daemon.with { $0.updates }
            #expect(
                updates.map(\.updateMask.paths) == [
                    ["display_name"], ["default_settings", "ttl"], ["default_settings"],
                ])
            #expect(updates[1].session.name == "sessions/a")
            #expect(updates[1].session.defaultSettings.nfe == 4)
            #expect(updates[1].session.ttl.seconds == 7200)
            #expect(updates[2].session.defaultSettings == Posed_V1_SynthesisSettings())
        }
    }

    @Test func aFrameIsWrittenAsAPNG() async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                let pose = try write("[]", "\(folder)/pose.json")
                let outcome = try await run(
                    daemon,
                    [
                        "synthesize", "--session", "a", "--pose", pose, "--out",
                        "\(folder)/frame.png", "--format", "raw", "--json", "--solver", "heun",
                        "--nfe", "8", "--guidance", "1.5", "--seed", "18446744073709551615",
                        "--time-shift", "2", "--size", "64x32", "--min-nfe", "4",
                    ])
                #expect(try Image(file: "\(folder)/frame.png").bytes == [255, 0, 0])
                let used = try #require(try outcome.object["used"] as? [String: Any])
                #expect(used["seed"] as? String == "18446744073709551615")
                let request = try #require(daemon.with { $0.pictures.first })
                #expect(request.session == "sessions/a")
                let settings = request.settings
                #expect(settings.solver == "heun")
                #expect(settings.budget == .nfe(8))
                #expect(settings.guidanceScale == 1.5)
                #expect(settings.seed == .max)
                #expect(settings.timeShift == 2)
                #expect(settings.width == 64)
                #expect(settings.height == 32)
                #expect(settings.minNfe == 4)
            }
        }
    }

    @Test func aStreamWritesItsFrames() async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                let poses = try (1...4).map { try write("[]", "\(folder)/p\($0).json") }
                _ = try await run(
                    daemon,
                    ["stream", "--source", try picture(folder), "--poses"] + poses + [
                        "--out", "\(folder)/out", "--max-lag", "40ms", "--seed", "9",
                    ])
                let written = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/out")
                #expect(written.sorted() == ["p1.png", "p2.png", "p4.png"])
                let start = try #require(daemon.with { $0.starts.first })
                #expect(start.settings.seed == 9)
                #expect(start.maxLag.nanos == 40_000_000)
                // The session of the command is gone with it.
                #expect(daemon.with { $0.sessions.isEmpty })
            }
        }
    }

    @Test func posesMayComeFromStandardInput() async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                _ = try await run(
                    daemon,
                    ["stream", "--session", "a", "--poses", "-", "--out", "\(folder)/out"],
                    input: "[1]\n[2]\n")
                let written = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/out")
                #expect(written.sorted() == ["000001.png", "000002.png"])
            }
        }
    }

    @Test func aStreamWithAFailureFailsInTheEnd() async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                let lines = (1...6).map { "[\($0)]" }.joined(separator: "\n")
                let poses = try write(lines, "\(folder)/p.jsonl")
                let outcome = try await run(
                    daemon,
                    [
                        "stream", "--session", "a", "--poses", poses, "--out", "\(folder)/out",
                        "--json",
                    ], status: 1)
                #expect(outcome.errors.contains("000005: INVALID_ARGUMENT: a bad pose"))
                #expect(outcome.errors.hasSuffix("posectl: 1 of 6 poses failed\n"))
                let report = try outcome.object
                #expect(report["frames"] as? Int == 4)
                #expect(report["superseded"] as? Int == 1)
                #expect((report["poses"] as? [Any])?.count == 6)
            }
        }
    }

    @Test(arguments: [["--mode", "unary"], ["--mode", "stream"], ["--rate", "500"]])
    func aBenchEndsItsSessions(mode: [String]) async throws {
        try await FakeDaemon.run { daemon in
            let outcome = try await run(
                daemon,
                [
                    "bench", "--concurrency", "2", "--frames", "40", "--warmup", "0",
                    "--duration", "60s", "--json",
                ] + mode, status: mode.contains("unary") ? 0 : 1)
            #expect(daemon.with { $0.sessions.isEmpty })
            #expect(daemon.with { $0.count } == 2)
            let report = try outcome.object
            let counts = ["frames", "superseded", "failed"].compactMap { report[$0] as? Int }
            #expect(counts.reduce(0, +) == 40)
        }
    }

    @Test func healthIsAnExitStatus() async throws {
        try await FakeDaemon.run { daemon in
            let whole = try await run(daemon, ["health"])
            #expect(whole.text == "SERVING\n")
            let broken = try await run(daemon, ["health", "broken"], status: 1)
            #expect(broken.text == "NOT_SERVING\n")
        }
    }

    @Test func healthWaitsForADaemonThatIsNotThereYet() async throws {
        let path = FakeDaemon.newPath()
        let waiting = Task {
            try await PosectlProcess.run([
                "health", "--wait", "--timeout", "10m", "--address", "unix:\(path)",
            ])
        }
        // Long enough for it to find nobody; it is right without, too.
        try await Task.sleep(for: .milliseconds(500))
        try await FakeDaemon.run(at: path) { _ in
            let outcome = try await waiting.value
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.text == "NOT_SERVING\nSERVING\n")
        }
    }

    @Test func healthDoesNotWaitForEver() async throws {
        let outcome = try await PosectlProcess.run([
            "health", "--wait", "--timeout", "300ms", "--address", "unix:/nowhere/x.sock",
        ])
        #expect(outcome.status == 3)
        #expect(outcome.errors.contains("there is no socket /nowhere/x.sock"))
    }

    @Test func healthIsJSONToo() async throws {
        try await FakeDaemon.run { daemon in
            let outcome = try await run(daemon, ["health", "broken", "--json"], status: 1)
            #expect(outcome.text == "{\"service\":\"broken\",\"status\":\"NOT_SERVING\"}\n")
        }
    }

    @Test func aDaemonThatDoesNotKnowAMethodSaysSo() async throws {
        try await FakeDaemon.run { daemon in
            let outcome = try await run(daemon, ["solvers"], status: 1)
            #expect(outcome.errors.hasPrefix("posectl: UNIMPLEMENTED: "))
        }
    }

    @Test func aDaemonThatIsNotThereIsMissed() async throws {
        let outcome = try await PosectlProcess.run([
            "status", "--address", "unix:/nowhere/x.sock", "--timeout", "100ms",
        ])
        #expect(outcome.status == 3)
        #expect(outcome.errors.contains("there is no socket /nowhere/x.sock"))
    }

    @Test func filesThatAreNotThereAreNamedBeforeTheDaemonIsAsked() async throws {
        let outcome = try await PosectlProcess.run([
            "sessions", "create", "--source", "/nowhere/a.png", "--address", "/nowhere/x.sock",
        ])
        #expect(outcome.status == 4)
        #expect(
            outcome.errors
                == "posectl: /nowhere/a.png: expected a picture, there is no such file\n")
    }
}
