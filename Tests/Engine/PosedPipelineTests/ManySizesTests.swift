import PosedBackend
import PosedModels
import PosedPipeline
import PosedSolvers
import PosedTensor
import PosedTesting
import PosedVision
import Testing

/// A model whose pictures, or whose encoders' inputs, come in many sizes.
@Suite struct ManySizesTests {
    /// The golden model with another preprocessor before both encoders, or another autoencoder.
    private func model(
        _ backend: String, edge: Int, autoencoder: ((any Autoencoder) -> any Autoencoder)? = nil
    ) throws -> PoseModel {
        let golden = try GoldenPipeline(model: "tiny", backend: backend).pipeline().model
        let preprocessor = PreprocessorConfiguration(
            resize: .shortestEdge(edge), filter: .bicubic, crop: nil, rescaleFactor: 1 / 255,
            mean: nil, deviation: nil)
        return try PoseModel(
            name: "tiny", autoencoder: autoencoder?(golden.autoencoder) ?? golden.autoencoder,
            sourceEncoder: .init(
                model: try golden.sourceEncoder.model(), preprocessor: preprocessor),
            poseEncoder: .init(model: try golden.poseEncoder.model(), preprocessor: preprocessor),
            transformer: golden.transformer, sampler: golden.sampler, streams: golden.streams,
            reports: [])
    }

    private func picture(_ pipeline: Pipeline) throws -> Image {
        let source = try Image(width: 40, height: 50, filledWith: RGB(90, 120, 30))
        let joints = (0..<18).map { Keypoint(x: 20 + Double($0), y: 2 * Double($0) + 2) }
        let condition = try pipeline.condition(
            try pipeline.source([source]), try pipeline.pose(.keypoints(try Keypoints(joints))))
        let settings = SamplingSettings(solver: "euler", budget: .steps(1), guidance: 1, seed: 9)
        return try #require(
            try pipeline.decode(pipeline.sample([condition], settings).latents).first)
    }

    /// Captured encoders keep their position embeddings, however many other sizes come after.
    @Test(arguments: UsableDevices.names.filter { $0 != "example" })
    func aPipelineOutlivesManyOtherSizes(_ backend: String) throws {
        let model = try model(backend, edge: 28)
        let first = try Pipeline(model)
        let before = try picture(first)
        for number in 1...20 {
            _ = try picture(Pipeline(model, size: (64, 64 + 16 * number)))
        }
        #expect(try picture(first) == before)
    }

    /// The side at fault is named, and a pipeline of such a size is refused.
    @Test func anotherSizeIsRefusedOnlyWhereItCannotBeComputed() throws {
        let backend = try #require(UsableDevices.names.first)
        let fine = try model(backend, edge: 28)
        #expect(fine.problem(width: 64, height: 80) == nil)
        #expect(fine.problem(width: 72, height: 64)?.side == .width)
        #expect(fine.problem(width: 64, height: 0)?.side == .height)
        #expect(fine.problem(width: 64, height: 8192)?.side == .height)
        let coarse = try model(backend, edge: 8)
        #expect(coarse.problem(width: 64, height: 80)?.message.contains("its patches") == true)
        let sliver = try model(backend, edge: 4096)
        #expect(sliver.problem(width: 4096, height: 16)?.side == .width)
        #expect(sliver.problem(width: 16, height: 4096)?.side == .height)
        let error = #expect(throws: PipelineError.self) {
            try Pipeline(sliver, size: (4096, 16))
        }
        #expect(error?.code == .invalidRequest)
    }

    /// An autoencoder that overflows, as some do in float16.
    private struct Overflowing: Autoencoder {
        let base: any Autoencoder
        var shape: AutoencoderShape { base.shape }
        var downsampling: Int { base.downsampling }

        func encode(_ image: Tensor, on compute: Compute) throws -> Tensor {
            try base.encode(image, on: compute)
        }

        func decode(_ latent: Tensor, on compute: Compute) throws -> Tensor {
            let image = try base.decode(latent, on: compute)
            try compute.combine([(.infinity, image)], into: image)
            return image
        }
    }

    @Test(arguments: UsableDevices.names.filter { $0 != "example" })
    func aPictureThatIsNotFiniteIsAnError(_ backend: String) throws {
        let pipeline = try Pipeline(model(backend, edge: 28) { Overflowing(base: $0) })
        let error = #expect(throws: PipelineError.self) { try picture(pipeline) }
        #expect(error?.code == .diverged)
        #expect(error?.message.contains("the autoencoder decoded") == true)
    }
}
