import Foundation
import PosedEvaluation
import PosedTesting
import PosedVision
import Testing

/// A whole picture on the emulated device, against that of the reference backend.
@Suite struct EmulatedModelTests {
    @Test(arguments: [("bf16", 35.0), ("f32", 60.0)])
    func picturesAgree(precision: String, decibels: Double) throws {
        try StandIn.with { standIn in
            let pictures = try [("cuda", precision), ("blas", "f32")].map { backend, dtype in
                let out = standIn.folder.appendingPathComponent("\(backend).png").path
                let outcome = try standIn.run(
                    "posekit",
                    [
                        "synthesize", "--model", Goldens.url("tiny").path,
                        "--source", Goldens.url("tiny/expected/synthesize/source.png").path,
                        "--pose", Goldens.url("tiny/expected/synthesize/pose.json").path,
                        "--seed", "7", "--backend", backend, "--dtype", dtype, "--out", out,
                    ])
                #expect(outcome.status == 0, "\(outcome.errors)")
                return out
            }
            let pair = try ImagePair(
                Image(pngFile: pictures[0]), reference: Image(pngFile: pictures[1]))
            #expect(PSNR.value(pair) >= decibels)
        }
    }
}
