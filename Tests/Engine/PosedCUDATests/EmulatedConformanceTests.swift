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

    @Test func everyCasePasses() async throws {
        var compiled: Set<String> = []
        for setting in Self.settings {
            try await StandIn.with(setting.names, setting.environment) { standIn in
                let (outcome, calls) = try await standIn.counted(
                    "posekit", ["backends", "test", "cuda", "--json"])
                let results = try #require(try outcome.object["results"] as? [[String: Any]])
                #expect(results.count > 2000)
                for result in results {
                    let (name, outcome) = (
                        result["name"] as? String ?? "", result["outcome"] as? String
                    )
                    // All but products in 8 bits, which are another backend's.
                    let expected = name.contains("i8") ? "skipped" : "passed"
                    if outcome == expected { continue }
                    Issue.record("\(name): \(outcome ?? "") \(result["message"] ?? "")")
                }
                #expect(outcome.status == 0)
                #expect(!outcome.errors.contains("were not given back"))
                compiled.formUnion(Self.compiled(calls))
            }
        }
        // What is held to bounds for real devices is what has been run here, no more and no less.
        let listed = try Self.listedKernels()
        let (unlisted, unused) = (compiled.subtracting(listed), listed.subtracting(compiled))
        #expect(unlisted.isEmpty, "Tests/GPU/kernels.json lacks \(unlisted.sorted())")
        #expect(unused.isEmpty, "no case runs \(unused.sorted()) of Tests/GPU/kernels.json")
    }

    /// Groups of warps are compared with single warps when a device is opened; a device on which they err
    /// does without.
    @Test(arguments: [("", true), ("POSED_WRONG_GROUPS", false)])
    func groupsOfWarpsMustAgree(definition: String, used: Bool) async throws {
        try await StandIn.with(StandIn.libraries, ["POSED_STANDIN_DEFINE": definition]) { standIn in
            let outcome = try await standIn.run(
                "posekit", ["backends", "test", "cuda", "--filter", "linear bf16", "--json"])
            let numerics = try #require(try outcome.object["numerics"] as? String)
            #expect(numerics.contains("-groups") == used)
            #expect(outcome.status == 0)
        }
    }

    /// The modules that the stand-in has compiled: file and definitions.
    private static func compiled(_ calls: [String: Int]) -> Set<String> {
        let mark = "compiled "
        return Set(
            calls.keys.filter { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) })
    }

    /// The modules that are compiled for real devices, and held to bounds, in the same test run.
    private static func listedKernels() throws -> Set<String> {
        let table = Goldens.root.deletingLastPathComponent()
            .appendingPathComponent("GPU/kernels.json")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: table))
        return Set(try #require(object as? [String: Any]).keys)
    }
}
