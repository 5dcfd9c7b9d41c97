import Foundation
import PosedBackend
import PosedModels
import PosedPipeline
import PosedSolvers
import PosedTensor
import PosedTesting
import PosedVision
import PosedWeights
import Testing

/// A picture and a pose in, the reference's picture out; and what is refused on the way.
@Suite struct PipelineTests {
    @Test(arguments: GoldenPipeline.cases(["tiny"]))
    func synthesizesTheReferencesPicture(_ golden: GoldenPipeline) throws {
        let folder = Goldens.url("tiny/expected/synthesize")
        let pipeline = try golden.pipeline()
        let picture = try Image(file: folder.appendingPathComponent("source.png").path)
        let source = try pipeline.source([picture])
        let pose = try pipeline.pose(
            PoseInput(file: folder.appendingPathComponent("pose.json").path))
        let condition = try pipeline.condition(source, pose)
        let outcome = try pipeline.sample([condition], SamplingSettings(seed: 7))
        let made = try #require(try pipeline.decode(outcome.latents).first)

        let expected = try Image(file: folder.appendingPathComponent("output.png").path)
        #expect(made.width == expected.width && made.height == expected.height)
        let squares = zip(made.bytes, expected.bytes).map { pow(Double($0) - Double($1), 2) }
        let psnr = 10 * log10(255 * 255 / max(squares.reduce(0, +) / Double(squares.count), 1e-9))
        let isExact = pipeline.model.streams.vae.precision == .f32
        #expect(psnr >= (isExact ? 60 : 35), "\(golden): \(psnr) dB")
    }

    /// The same pieces again give the same picture: nothing that is kept goes stale.
    @Test(arguments: GoldenPipeline.cases(["tiny"]))
    func repeatsItself(_ golden: GoldenPipeline) throws {
        let pipeline = try golden.pipeline()
        let pictures = try (0..<2).map { shade in
            try Image(width: 70, height: 50, filledWith: RGB(UInt8(80 * shade), 120, 30))
        }
        let standing = try Keypoints(
            (0..<18).map { Keypoint(x: 20 + Double($0), y: 3 * Double($0) + 2) })
        func picture(_ sources: [Image]) throws -> Image? {
            let condition = try pipeline.condition(
                try pipeline.source(sources), try pipeline.pose(.keypoints(standing)))
            let settings = SamplingSettings(solver: "euler", budget: .steps(2), seed: 9)
            return try pipeline.decode(pipeline.sample([condition], settings).latents).first
        }
        let first = try picture([pictures[0]])
        let both = try picture(pictures)
        #expect(first != both)
        #expect(try picture([pictures[0]]) == first)
        #expect(try picture(pictures) == both)
    }

    @Test func refusesImpossibleSettings() throws {
        for guidance in [Double.nan, -1, 1e9] {
            let error = #expect(throws: PipelineError.self) {
                try SamplingSettings(guidance: guidance).validate()
            }
            #expect(error?.code == .invalidRequest)
        }
        try SamplingSettings(guidance: 1.4).validate()
    }

    @Test(arguments: GoldenPipeline.cases(["tiny"]).prefix(1))
    func refusesSizesItCannotMake(_ golden: GoldenPipeline) throws {
        let model = try golden.pipeline().model
        for size in [(64, 63), (0, 64), (64, 1 << 20)] {
            let error = #expect(throws: PipelineError.self) { try Pipeline(model, size: size) }
            #expect(error?.code == .invalidRequest)
        }
        #expect(try Pipeline(model, size: (96, 128)).latentSize == .init(height: 16, width: 12))
    }

    @Test(arguments: GoldenPipeline.cases(["tiny"]).prefix(1))
    func refusesNoPictureAndWrongNoise(_ golden: GoldenPipeline) throws {
        let pipeline = try golden.pipeline()
        #expect(throws: PipelineError.self) { try pipeline.source([]) }
        let condition = try golden.condition(of: "solve.heun", pipeline)
        #expect(throws: PipelineError.self) {
            try pipeline.sample([condition], SamplingSettings(), noise: [0, 1, 2])
        }
    }
}
