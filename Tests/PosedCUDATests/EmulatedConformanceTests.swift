import Foundation
import PosedTesting
import Testing

/// The whole backend, its kernels included, on a device that is emulated: the conformance suite checks the
/// mathematics of every kernel and all that the host does around them.
@Suite(.serialized) struct EmulatedConformanceTests {
    /// A device, a driver, and who goes first where the order of threads must not matter.
    private static let settings: [(names: [String], environment: [String: String])] = [
        (StandIn.libraries, [:]),
        // Older libraries, a device with less shared memory, no cuBLASLt, and threads backwards.
        (
            ["libcuda.so.1", "libnvrtc.so.12"],
            [
                "POSED_STANDIN_VERSION": "12", "POSED_STANDIN_CAPABILITY": "120",
                "POSED_STANDIN_ORDER": "backwards",
            ]
        ),
    ]

    @Test(arguments: settings.indices)
    func everyCasePasses(index: Int) throws {
        let setting = Self.settings[index]
        try StandIn.with(setting.names, setting.environment) { standIn in
            var standIn = standIn
            let report = standIn.folder.appendingPathComponent("report").path
            standIn.environment["POSED_STANDIN_REPORT"] = report
            let outcome = try standIn.run("posekit", ["backends", "test", "cuda", "--json"])
            let results = try #require(try outcome.object["results"] as? [[String: Any]])
            #expect(results.count > 2000)
            for result in results where result["outcome"] as? String != "passed" {
                Issue.record("\(result["name"] ?? ""): \(result["message"] ?? "")")
            }
            #expect(outcome.status == 0)
            #expect(!outcome.errors.contains("were not given back"))
            let unlisted = try Self.compiled(report).subtracting(Self.listedKernels())
            #expect(unlisted.isEmpty, "Tests/GPU/kernels.json lacks \(unlisted.sorted())")
        }
    }

    /// Groups of warps are compared with single warps when a device is opened; a device on which they err
    /// does without.
    @Test(arguments: [("", true), ("POSED_WRONG_GROUPS", false)])
    func groupsOfWarpsMustAgree(definition: String, used: Bool) throws {
        try StandIn.with(StandIn.libraries, ["POSED_STANDIN_DEFINE": definition]) { standIn in
            let outcome = try standIn.run(
                "posekit", ["backends", "test", "cuda", "--filter", "linear bf16", "--json"])
            let numerics = try #require(try outcome.object["numerics"] as? String)
            #expect(numerics.contains("-groups") == used)
            #expect(outcome.status == 0)
        }
    }

    /// The modules that the stand-in has compiled: file and definitions.
    private static func compiled(_ report: String) throws -> Set<String> {
        let lines = try String(contentsOfFile: report, encoding: .utf8).split(separator: "\n")
        return Set(
            lines.compactMap { line in
                line.firstRange(of: " compiled ").map { String(line[$0.upperBound...]) }
            })
    }

    /// The modules that are compiled for real devices, and held to bounds, in the same test run.
    private static func listedKernels() throws -> Set<String> {
        let table = Goldens.root.deletingLastPathComponent()
            .appendingPathComponent("GPU/kernels.json")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: table))
        return Set(try #require(object as? [String: Any]).keys)
    }
}
