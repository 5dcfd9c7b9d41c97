import Foundation
import PosedVision
import PosedTesting
import Testing

/// What commands leave behind that are interrupted, or whose daemon goes.
@Suite(.timeLimit(.minutes(10))) struct InterruptionTests {
    /// Runs a command until the daemon has answered some poses, then sends it a signal.
    private func interrupted(
        _ daemon: FakeDaemon, _ arguments: [String], by signal: Int32
    ) async throws -> BuiltProgram.Outcome {
        let (numbers, number) = AsyncStream<Int32>.makeStream()
        let address = "unix:\(daemon.path)"
        let running = Task {
            try await PosectlProcess.run(
                arguments + ["--address", address, "--timeout", "10m", "--json"],
                started: { number.yield($0) })
        }
        var iterator = numbers.makeAsyncIterator()
        let first = await iterator.next()
        let process = try #require(first)
        while daemon.with({ $0.answers }) < 2 {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(kill(process, signal) == 0)
        return try await running.value
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aStreamEndsItsSessionAndReports(signal: Int32) async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                let person = "\(folder)/person.png"
                try Image(width: 2, height: 2, filledWith: .white).writePNG(to: person)
                let outcome = try await interrupted(
                    daemon,
                    [
                        "stream", "--source", person, "--poses", try poses(folder), "--out",
                        "\(folder)/out", "--rate", "10",
                    ], by: signal)
                #expect(outcome.status == 128 + signal)
                #expect(outcome.errors.contains("interrupted"))
                let report = try outcome.object
                #expect(report["session"] as? String == "sessions/1")
                #expect(daemon.with { $0.count } == 1)
                #expect(daemon.with { $0.sessions.isEmpty })
            }
        }
    }

    /// More than can be sent in the time of a test.
    private func poses(_ folder: String) throws -> String {
        let path = "\(folder)/poses.jsonl"
        try Data(String(repeating: "[]\n", count: 10_000).utf8)
            .write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func aBenchEndsItsSessionsAndReports() async throws {
        try await FakeDaemon.run { daemon in
            let outcome = try await interrupted(
                daemon,
                [
                    "bench", "--mode", "stream", "--concurrency", "2", "--rate", "20", "--warmup",
                    "0", "--duration", "10m",
                ], by: SIGINT)
            #expect(outcome.status == 130)
            let frames = try outcome.object["frames"] as? Int
            #expect(frames != nil)
            #expect(daemon.with { $0.count } == 2)
            #expect(daemon.with { $0.sessions.isEmpty })
        }
    }

    @Test(arguments: ["unary", "stream"])
    func aBenchGivesUpWhenTheDaemonIsGone(mode: String) async throws {
        try await FakeDaemon.run { daemon in
            daemon.with { $0.isGone = true }
            let outcome = try await PosectlProcess.run([
                "bench", "--mode", mode, "--concurrency", "2", "--warmup", "0", "--duration", "10m",
                "--json", "--address", "unix:\(daemon.path)", "--timeout", "10m",
            ])
            #expect(outcome.status == 1)
            #expect(outcome.errors == "posectl: 10 of 10 requests failed\n")
            let report = try outcome.object
            #expect(report["failed"] as? Int == 10)
        }
    }

    @Test func whereAPictureCannotGoIsSaidBeforeTheDaemonIsAsked() async throws {
        try await PosectlProcess.withFolder { folder in
            let file = try poses(folder)
            let cases = [
                ("synthesize", "--pose", folder, "--out: \(folder) is a folder"),
                (
                    "synthesize", "--pose", "\(folder)/x/y.png",
                    "--out: there is no folder \(folder)/x"
                ),
                ("stream", "--poses", file, "--out: \(file) is a file, expected a folder"),
                ("synthesize", "--pose", "\(folder)/y.png", "`posectl stream --poses`"),
            ]
            for (command, option, out, sentence) in cases {
                let outcome = try await PosectlProcess.run([
                    command, "--session", "a", option, file, "--out", out, "--address",
                    "unix:/nowhere/x.sock",
                ])
                #expect(outcome.status == 4)
                #expect(outcome.errors.contains(sentence), "\(outcome.errors)")
            }
        }
    }
}
