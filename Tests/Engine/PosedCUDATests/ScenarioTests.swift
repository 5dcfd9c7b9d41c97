import Foundation
import PosedTesting
import Testing

/// What the host's code does when work is late, memory ends, or the device fails; played by
/// `cuda-scenarios` with the driver's stand-in.
@Suite struct ScenarioTests {
    /// A scenario, and what goes wrong in it.
    private static let scenarios: [(name: String, environment: [String: String])] = [
        ("order", [:]), ("order-large", [:]), ("ownership", [:]), ("graph-ownership", [:]),
        ("full", ["POSED_STANDIN_MEMORY": "67108864"]), ("limit", [:]), ("named-limit", [:]),
        ("threads", [:]),
        ("cache", [:]), ("devices", ["POSED_STANDIN_DEVICES": "2"]),
        ("lost", ["POSED_STANDIN_FAIL": "kernel:3:700"]),
        ("lost", ["POSED_STANDIN_FAIL": "kernel:2:719"]),
        ("no-memory-once", ["POSED_STANDIN_FAIL": "cuMemAlloc_v2:1:2"]),
        ("no-pinned-memory", ["POSED_STANDIN_FAIL": "cuMemHostAlloc:1:2"]),
        ("no-pinned-memory-for-weight", ["POSED_STANDIN_FAIL": "cuMemHostAlloc:2:2"]),
        ("room-for-others", ["POSED_STANDIN_FAIL": "cuGraphInstantiateWithFlags:1:2"]),
        ("room-for-others", ["POSED_STANDIN_FAIL": "cuModuleLoadData:1:2"]),
        ("product-lost", ["POSED_STANDIN_FAIL": "cublasLtMatmul:1:719"]),
        ("capture-fails", ["POSED_STANDIN_FAIL": "cuStreamBeginCapture_v2:1:900"]),
        ("capture-fails", ["POSED_STANDIN_FAIL": "cuLaunchKernel:1:1"]),
        ("capture-fails", ["POSED_STANDIN_FAIL": "cuStreamEndCapture:1:901"]),
        ("capture-fails", ["POSED_STANDIN_FAIL": "cuGraphInstantiateWithFlags:1:1"]),
        ("compiler-fails", ["POSED_STANDIN_FAIL": "nvrtcCompileProgram:1:6"]),
    ]

    @Test(arguments: scenarios.indices)
    func goesAsItMust(index: Int) async throws {
        let scenario = Self.scenarios[index]
        try await StandIn.with(StandIn.libraries, scenario.environment) { standIn in
            let plugin = BuiltProgram.folder.appendingPathComponent("libposed-backend-cuda.so").path
            let outcome = try await standIn.run("cuda-scenarios", [plugin, scenario.name])
            #expect(outcome.status == 0, "\(scenario): \(outcome.errors)")
            #expect(
                !outcome.errors.contains("were not given back"), "\(scenario): \(outcome.errors)")
        }
    }

    /// A scenario that is never played would prove nothing.
    @Test func everyScenarioIsPlayed() async throws {
        try await StandIn.with { standIn in
            let plugin = BuiltProgram.folder.appendingPathComponent("libposed-backend-cuda.so").path
            let names = try await standIn.run("cuda-scenarios", [plugin]).output
            let all = String(decoding: names, as: UTF8.self).split(separator: "\n").map(String.init)
            #expect(Set(all) == Set(Self.scenarios.map(\.name)))
        }
    }
}
