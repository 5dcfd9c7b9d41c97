import Foundation
import PosedTesting
import Testing

/// What the backend says of machines that have all it needs, or lack something.
@Suite struct DiscoveryTests {
    @Test(arguments: [
        (["libnvrtc.so.13"], "There is no CUDA driver: libcuda.so.1 was not found."),
        (
            ["libcuda.so.1"],
            "The CUDA compiler for the kernels, libnvrtc.so.13 or .12, was not found; "
                + "POSED_CUDA_PATH may name its folder."
        ),
    ])
    func saysWhatIsMissing(names: [String], sentence: String) async throws {
        try await StandIn.with(names) { standIn in
            let row = try await standIn.listed()
            #expect(row["status"] as? String != "usable")
            #expect(row["summary"] as? String == sentence)
        }
    }

    @Test func saysWhichFunctionIsMissing() async throws {
        let other = "libposed-solver-example.so"
        try await StandIn.with(instead: ["libcuda.so.1": other]) { standIn in
            let summary = try await standIn.summary()
            #expect(
                summary == "The CUDA driver is too old or incomplete: libcuda.so.1 has no cuInit.")
        }
        try await StandIn.with(instead: ["libnvrtc.so.13": other]) { standIn in
            let summary = try await standIn.summary()
            #expect(
                summary == "The CUDA compiler is incomplete: libnvrtc.so.13 has no nvrtcVersion.")
        }
        try await StandIn.with(instead: ["libcublasLt.so.13": other]) { standIn in
            let summary = try await standIn.summary()
            #expect(
                summary.hasSuffix(
                    "own products, since libcublasLt.so.13 has no cublasLtGetVersion."),
                "\(summary)")
        }
    }

    @Test(arguments: [
        (["POSED_STANDIN_DEVICES": "0"], "The CUDA driver finds no GPU."),
        (
            ["POSED_STANDIN_CAPABILITY": "75"],
            "No GPU here has compute capability 8.0 or higher."
        ),
        (
            ["POSED_STANDIN_FAIL": "cuInit:1:803"],
            "The CUDA driver does not start: CUDA error 803."
        ),
    ])
    func saysWhatTheDriverLacks(environment: [String: String], sentence: String) async throws {
        try await StandIn.with(StandIn.libraries, environment) { standIn in
            let summary = try await standIn.summary()
            #expect(summary == sentence)
        }
    }

    @Test(arguments: [
        (StandIn.libraries, "13", 100, "NVRTC 13.2, cuBLASLt."),
        (
            ["libcuda.so.1", "libnvrtc.so.12", "libcublasLt.so.12"], "12", 100,
            "NVRTC 12.2, cuBLASLt."
        ),
        (["libcuda.so.1", "libnvrtc.so.12"], "13", 90, "since there is no cuBLASLt."),
    ])
    func usesWhatFitsTheDriver(
        names: [String], version: String, score: Int, end: String
    ) async throws {
        try await StandIn.with(names, ["POSED_STANDIN_VERSION": version]) { standIn in
            let row = try await standIn.listed()
            #expect(row["status"] as? String == "usable")
            #expect(row["score"] as? Int == score)
            #expect((row["summary"] as? String)?.hasSuffix(end) == true, "\(row)")
        }
    }

    /// A driver of CUDA 12 cannot run what a compiler of CUDA 13 makes.
    @Test func leavesNewerCompilersAlone() async throws {
        try await StandIn.with(StandIn.libraries, ["POSED_STANDIN_VERSION": "12"]) { standIn in
            let summary = try await standIn.summary()
            #expect(summary.contains("libnvrtc.so.12, was not found"), "\(summary)")
        }
    }

    /// NVRTC opens another library by its name alone, and some releases do not look beside themselves.
    @Test func bringsWhatTheCompilerOpensItself() async throws {
        let builtins = "libnvrtc-builtins.so.13.2"
        let words = ["backends", "test", "cuda", "--filter", "quantize"]
        let environment = ["POSED_STANDIN_BUILTINS": "1"]
        try await StandIn.with(StandIn.libraries, environment) { standIn in
            let outcome = try await standIn.run("posekit", words)
            #expect(outcome.status != 0)
        }
        try await StandIn.with(
            StandIn.libraries + [builtins], instead: [builtins: "libposed-solver-example.so"],
            environment
        ) { standIn in
            let outcome = try await standIn.run("posekit", words)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
    }

    @Test func countsDevices() async throws {
        try await StandIn.with(StandIn.libraries, ["POSED_STANDIN_DEVICES": "3"]) { standIn in
            let summary = try await standIn.summary()
            #expect(summary.hasPrefix("Emulated GPU 0 and 2 more, "), "\(summary)")
            let last = try await standIn.run(
                "posekit", ["backends", "test", "cuda:2", "--filter", "quantize", "--json"])
            #expect(last.status == 0)
            let device = try last.object["device"] as? String
            #expect(device == "Emulated GPU 2")
            let beyond = try await standIn.run("posekit", ["backends", "test", "cuda:3"])
            #expect(beyond.status != 0)
        }
    }
}
