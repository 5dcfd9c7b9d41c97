import Foundation
import PosedEvaluation
import PosedTesting
import PosedVision
import Testing

/// A whole picture on emulated devices, against that of the reference backend.
@Suite struct EmulatedModelTests {
    @Test(arguments: [
        ("cuda", "bf16", 35.0), ("cuda", "f32", 60.0),
        // Parts on devices of their own, and one on another backend.
        ("cuda:1,vae=cuda:0", "f32", 60.0), ("cuda,encoders=blas", "f32", 60.0),
    ])
    func picturesAgree(backend: String, precision: String, decibels: Double) async throws {
        try await StandIn.with(StandIn.libraries, ["POSED_STANDIN_DEVICES": "2"]) { standIn in
            var pictures: [String] = []
            for (backend, dtype) in [(backend, precision), ("blas", "f32")] {
                let out = standIn.folder.appendingPathComponent("\(backend).png").path
                let outcome = try await standIn.run(
                    "posekit", Self.synthesis(out, ["--backend", backend, "--dtype", dtype]))
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(!outcome.errors.contains("were not given back"), "\(outcome.errors)")
                pictures.append(out)
            }
            let pair = try ImagePair(
                Image(file: pictures[0]), reference: Image(file: pictures[1]))
            #expect(PSNR.value(pair) >= decibels)
        }
    }

    /// Eight evaluations more are eight launches of a graph more, and nothing that the host waits for, fetches
    /// or sends; the picture comes as bytes.
    @Test func solvesTouchTheHostOnlyAtTheirEnd() async throws {
        try await StandIn.with { standIn in
            var counts: [[String: Int]] = []
            for evaluations in [4, 12] {
                let out = standIn.folder.appendingPathComponent("\(evaluations).png").path
                let (outcome, calls) = try await standIn.counted(
                    "posekit",
                    Self.synthesis(
                        out,
                        [
                            "--backend", "cuda", "--solver", "euler", "--guidance", "1.1",
                            "--nfe", "\(evaluations)",
                        ]))
                #expect(outcome.status == 0, "\(outcome.errors)")
                counts.append(calls)
            }
            for call in [
                "cuStreamSynchronize", "cuEventSynchronize", "cuMemcpyDtoHAsync_v2",
                "cuMemcpyHtoDAsync_v2", "cuMemAlloc_v2", "cuMemHostAlloc",
                "cuGraphInstantiateWithFlags",
            ] {
                #expect(counts[0][call] == counts[1][call], "\(call)")
            }
            let launches = counts.map { $0["cuGraphLaunch"] ?? 0 }
            #expect(launches[0] > 4)  // pictures are encoded and decoded, too
            #expect(launches[1] == launches[0] + 8)
            #expect(counts[0]["compiled quantize.cu"] == 1)
        }
    }

    /// The small model's picture, with these choices.
    private static func synthesis(_ out: String, _ choices: [String]) -> [String] {
        [
            "synthesize", "--model", Goldens.url("tiny").path,
            "--source", Goldens.url("tiny/expected/synthesize/source.png").path,
            "--pose", Goldens.url("tiny/expected/synthesize/pose.json").path,
            "--seed", "7", "--out", out,
        ] + choices
    }
}
