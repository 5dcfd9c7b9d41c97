import Foundation
import Testing

/// `posekit backends`, run as a process.
@Suite struct BackendsCommandTests {
    private struct Outcome {
        var status: Int32
        var output: Data
        var errors: String

        var object: [String: Any] {
            get throws {
                try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any])
            }
        }
    }

    private func posekit(_ arguments: String..., crashMode: String = "sigill") throws -> Outcome {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent()
            .appendingPathComponent("posekit")
        process.arguments = ["backends"] + arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(["POSED_CRASH_MODE": crashMode]) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: data,
            errors: String(decoding: text, as: UTF8.self))
    }

    @Test func listNamesEveryPluginAndItsFate() throws {
        let outcome = try posekit("list", "--json")
        #expect(outcome.status == 0)
        let rows = try #require(try outcome.object["backends"] as? [[String: Any]])
        let crashing = try #require(rows.first { $0["name"] as? String == "crashing" })
        #expect(crashing["status"] as? String == "crashed")
        #expect((crashing["summary"] as? String)?.contains("SIGILL") == true)
        let example = try #require(rows.first { $0["name"] as? String == "example" })
        #expect(example["status"] as? String == "usable")
    }

    @Test func tableIsForPeople() throws {
        let outcome = try posekit("list", crashMode: "lie-abi")
        #expect(outcome.status == 0)
        let text = String(decoding: outcome.output, as: UTF8.self)
        #expect(text.contains("was built for ABI 2.0"))
        #expect(text.contains("plain loops"))
    }

    @Test func testReportsEveryCase() throws {
        let outcome = try posekit("test", "example", "--json", "--filter", "layer norm")
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
    func testOfWhatIsNotThereFailsInOneSentence(name: String, sentence: String) throws {
        let outcome = try posekit("test", name)
        #expect(outcome.status != 0)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains(sentence))
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test func testWithoutACaseIsNoSuccess() throws {
        #expect(try posekit("test", "example", "--filter", "no such case").status != 0)
    }
}
