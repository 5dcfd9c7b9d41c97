import Foundation
import Testing

/// The `onednn` backend chooses its kernels by the processor; every choice that this machine can
/// take, or imitate, passes the conformance suite.
@Suite(.serialized) struct KernelChoiceTests {
    /// Settings of the environment, one choice a line, and whether it needs AVX-512 with BF16.
    private static let choices: [(environment: [String: String], needsBF16: Bool)] = [
        (["POSED_ONEDNN_KERNELS": "onednn"], false),
        (["POSED_ONEDNN_KERNELS": "onednn", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"], false),
        (["POSED_ONEDNN_KERNELS": "onednn", "ONEDNN_MAX_CPU_ISA": "AVX2"], false),
        (["POSED_ONEDNN_KERNELS": "own"], true),
        (["POSED_ONEDNN_KERNELS": "tiles"], true),
    ]

    private static func posekit(
        _ arguments: [String], _ environment: [String: String] = [:]
    ) throws -> (status: Int32, output: Data, errors: String) {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent()
            .appendingPathComponent("posekit")
        process.arguments = ["backends"] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, data, String(decoding: text, as: UTF8.self))
    }

    /// What `onednn` says of this machine; nil where it was not built or cannot be used.
    private static let summary: String? = {
        guard let listed = try? posekit(["list", "--json"]),
            let object = try? JSONSerialization.jsonObject(with: listed.output) as? [String: Any],
            let rows = object["backends"] as? [[String: Any]],
            let row = rows.first(where: { $0["name"] as? String == "onednn" }),
            row["status"] as? String == "usable"
        else { return nil }
        return row["summary"] as? String
    }()

    @Test(.enabled(if: summary != nil), arguments: choices.indices)
    func everyChoiceConforms(index: Int) throws {
        let choice = Self.choices[index]
        let hasBF16 = Self.summary?.contains("bfloat16 on") == true
        if choice.needsBF16 && !hasBF16 {
            let refused = try Self.posekit(["test", "onednn"], choice.environment)
            #expect(refused.status != 0)
            #expect(refused.errors.contains("AVX-512 with BF16"))
            return
        }
        let outcome = try Self.posekit(["test", "onednn"], choice.environment)
        #expect(
            outcome.status == 0,
            "\(choice.environment): \(String(decoding: outcome.output, as: UTF8.self))")
    }

    @Test(.enabled(if: summary != nil)) func unknownChoiceIsRefused() throws {
        let outcome = try Self.posekit(
            ["test", "onednn"], ["POSED_ONEDNN_KERNELS": "fastest"])
        #expect(outcome.status != 0)
        #expect(outcome.errors.contains("POSED_ONEDNN_KERNELS is \"fastest\""))
    }
}
