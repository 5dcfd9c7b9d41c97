import Foundation
import PosedTesting
import Testing

/// `posekit backends`, run as a process.
@Suite struct BackendsCommandTests {
    private func posekit(
        _ arguments: String..., crashMode: String = "sigill"
    ) async throws -> BuiltProgram.Outcome {
        try await PosekitProcess.run(
            ["backends"] + arguments, environment: ["POSED_CRASH_MODE": crashMode])
    }

    @Test func listNamesEveryPluginAndItsFate() async throws {
        let outcome = try await posekit("list", "--json")
        #expect(outcome.status == 0)
        let rows = try #require(try outcome.object["backends"] as? [[String: Any]])
        let crashing = try #require(rows.first { $0["name"] as? String == "crashing" })
        #expect(crashing["status"] as? String == "crashed")
        #expect((crashing["summary"] as? String)?.contains("SIGILL") == true)
        let example = try #require(rows.first { $0["name"] as? String == "example" })
        #expect(example["status"] as? String == "usable")
    }

    @Test func tableIsForPeople() async throws {
        let outcome = try await posekit("list", crashMode: "lie-abi")
        #expect(outcome.status == 0)
        let text = String(decoding: outcome.output, as: UTF8.self)
        #expect(text.contains("was built for ABI 2.0"))
        #expect(text.contains("plain loops"))
    }

    @Test func testReportsEveryCase() async throws {
        let outcome = try await posekit("test", "example", "--json", "--filter", "layer norm")
        #expect(outcome.status == 0)
        let report = try outcome.object
        #expect(report["backend"] as? String == "example")
        let results = try #require(report["results"] as? [[String: Any]])
        #expect(results.count > 40)
        #expect(results.allSatisfy { $0["outcome"] as? String != "failed" })
    }

    @Test(arguments: [
        ("nosuch", "there is no backend \"nosuch\""), ("crashing", "was killed by SIGILL"),
        ("example:3", "has no device 3"), ("a b", "expected auto"),
    ])
    func testOfWhatIsNotThereFailsInOneSentence(name: String, sentence: String) async throws {
        let outcome = try await posekit("test", name)
        #expect(outcome.status != 0)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains(sentence))
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test func testWithoutACaseIsNoSuccess() async throws {
        #expect(try await posekit("test", "example", "--filter", "no such case").status != 0)
    }
}
