import ArgumentParser
import CPosedVersion
import Foundation
import PosedTesting
import Testing
import posectl

@Suite struct ArgumentTests {
    @Test(arguments: [
        ("2", Duration.seconds(2)), ("2s", .seconds(2)), ("500ms", .milliseconds(500)),
        ("1.5m", .seconds(90)), ("1min", .seconds(60)), ("2h", .seconds(7200)),
        ("1d", .seconds(86400)), ("250us", .microseconds(250)), ("0", .zero),
    ])
    func durations(text: String, duration: Duration) {
        #expect(Duration(argument: text) == duration)
    }

    @Test(arguments: ["", "s", "-1s", "1 s", "1x", "1..2s", "nan", "inf", "99999999999999d"])
    func noDurations(text: String) {
        #expect(Duration(argument: text) == nil)
    }

    @Test(arguments: [
        ["synthesize", "--pose", "p", "--out", "o"],
        ["synthesize", "--session", "a", "--source", "b", "--pose", "p", "--out", "o"],
        [
            "synthesize", "--session", "a", "--pose", "p", "--out", "o", "--nfe", "1", "--steps",
            "1",
        ],
        ["synthesize", "--session", "a", "--pose", "p", "--out", "o", "--size", "256"],
        ["synthesize", "--session", "a", "--pose", "p", "--out", "o", "--size", "0x5"],
        ["stream", "--session", "a", "--poses", "p", "--out", "o", "--rate", "0"],
        ["stream", "--session", "a", "--poses", "p", "--out", "o", "--ahead", "0"],
        ["bench", "--concurrency", "0"], ["bench", "--warmup", "10s", "--duration", "5s"],
        ["sessions", "create"], ["sessions", "update", "a"],
        ["sessions", "update", "a", "--clear-settings", "--nfe", "1"], ["status", "--cert", "a"],
        ["status", "--timeout", "0"], ["status", "--address", "nonsense"],
        ["status", "--tls", "--address", "/run/x.sock"], ["unknown"],
    ])
    func commandLinesThatAreNone(arguments: [String]) async throws {
        let outcome = try await PosectlProcess.run(arguments)
        #expect(outcome.status == 2, "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("posectl: "))
        #expect(outcome.errors.split(separator: "\n").count == 1)
        #expect(outcome.output.isEmpty)
    }

    @Test(arguments: [
        ("--address", "unix:/path or host:port"), ("--timeout", "a time such as 500ms"),
    ])
    func whatIsExpectedIsSaid(flag: String, expected: String) async throws {
        let outcome = try await PosectlProcess.run(["status", flag, "foo"])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("'foo'"))
        #expect(outcome.errors.contains("expected \(expected)"))
    }

    @Test func theVersionIsTheProjects() async throws {
        let outcome = try await PosectlProcess.run(["--version"])
        #expect(outcome.status == 0)
        #expect(outcome.text == POSED_VERSION + "\n")
    }

    @Test func helpIsNoError() async throws {
        let outcome = try await PosectlProcess.run(["bench", "--help"])
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("EXAMPLES"))
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func shellsCanComplete(shell: String) async throws {
        let outcome = try await PosectlProcess.run(["--generate-completion-script", shell])
        #expect(outcome.status == 0)
        #expect(outcome.text.contains("posectl"))
    }
}
