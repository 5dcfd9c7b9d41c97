import PosedSolvers
import PosedBackend
import Foundation
import PosedModels
import PosedPipeline
import PosedTensor
import PosedTesting
import PosedVision
import PosedWeights
import Testing

/// X-MDPT from pictures and joints to a picture, against the recipe's restatement.
@Suite struct XMDPTPipelineTests {
    static let goldens = GoldenPipeline.cases(["tiny-xmdpt"])

    /// Euler on the steps that DDIM keeps, and the model's own default.
    @Test(arguments: goldens, ["solve.ddim", "solve.midpoint"])
    func endsInTheReferencesLatent(_ golden: GoldenPipeline, _ name: String) throws {
        struct Settings: Decodable {
            let solver: String
            let guidance: Double
            let steps: Int?
            let timeGrid: [Double]?
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let url = Goldens.url("tiny-xmdpt/expected/\(name).json")
        let asked = try decoder.decode(Settings.self, from: Data(contentsOf: url))
        let pipeline = try golden.pipeline()
        let compute = pipeline.model.streams.transformer
        let vector = try golden.tensor("cond", of: name)
        let condition = try pipeline.model.transformer
            .emptyCondition(pipeline.latentSize, on: compute)
            .with(vector: try compute.tensor(vector.floats(), [vector.count]))
        let settings = SamplingSettings(
            solver: asked.solver, budget: .steps(asked.steps ?? 1), guidance: asked.guidance,
            timeGrid: asked.timeGrid)
        let noise = try golden.tensor("z0", of: name).floats()
        let outcome = try pipeline.sample([condition], settings, noise: noise)
        #expect(outcome.evaluations == (asked.timeGrid.map { $0.count - 1 } ?? 16))
        let latent = Layout.channelsFirst(
            try compute.floats(outcome.latents), outcome.latents.shape)
        let error = relativeError(latent, try golden.tensor("latent", of: name).floats())
        #expect(error <= (compute.precision == .f32 ? 1e-4 : 5e-2), "\(golden) \(name): \(error)")
    }

    /// Solves alone and in a batch come to the same; a warm start takes fewer evaluations.
    @Test(arguments: goldens)
    func batchesComeToTheSame(_ golden: GoldenPipeline) throws {
        let pipeline = try golden.pipeline()
        let model = pipeline.model
        let compute = model.streams.transformer
        let condition = try model.transformer.emptyCondition(pipeline.latentSize, on: compute)
            .with(vector: try compute.tensor((0..<32).map { sin(Float($0)) }, [32]))
        let settings = SamplingSettings(solver: "heun", budget: .steps(4), guidance: 2, seed: 3)
        let alone = try compute.floats(try pipeline.sample([condition], settings).latents)
        let solver = try BatchSolver(
            model.transformer, pipeline.latentSize, rows: 4, on: compute)
        let tableau = try pipeline.solvers.tableau("heun")
        let first = try solver.begin(condition, settings, tableau)
        var other = settings
        other.guidance = 1
        let second = try solver.begin(condition, other, tableau)
        #expect(first.start == 0)
        while !first.isFinished {
            _ = try solver.evaluate([first, second].filter { !$0.isFinished })
        }
        let latent = try #require(first.latent)
        let error = relativeError(try compute.floats(latent), alone)
        #expect(error <= (compute.precision == .f32 ? 1e-5 : 2e-2))
        let warm = try solver.begin(
            condition, settings, tableau, warmStart: .init(time: 0.5, latent: latent))
        #expect(warm.start == 0.5 && warm.plannedEvaluations < first.plannedEvaluations)
    }

    @Test(arguments: goldens)
    func preparesPicturesAsTheReference(_ golden: GoldenPipeline) throws {
        let model = try golden.pipeline().model
        for (key, encoder) in [("s", model.sourceEncoder), ("p", model.poseEncoder)] {
            let expected = try golden.tensor("pixel_values_\(key)", of: "synthesize/stages")
            let bytes = try golden.tensor("picture_\(key)", of: "synthesize/stages")
            let picture = try Image(width: 64, height: 64, bytes: Array(bytes.bytes))
            let values = try encoder.preprocessor.pixelValues(of: picture)
            let worst = zip(values, expected.floats()).map { abs($0 - $1) }.max() ?? 1
            #expect(values.count == expected.count && worst <= 1e-5, "\(key): \(worst)")
        }
    }

    /// The source's condition does not depend on other sources; other sizes are refused.
    @Test(arguments: goldens)
    func theFirstSourceCounts(_ golden: GoldenPipeline) throws {
        let pipeline = try golden.pipeline()
        let picture = try Image(
            file: Goldens.url("tiny-xmdpt/expected/synthesize/source.png").path)
        let black = try Image(width: 64, height: 64, filledWith: .black)
        let pose = try pipeline.pose(.picture(black))
        func vector(_ sources: [Image]) throws -> [Float] {
            let condition = try pipeline.condition(pipeline.source(sources), pose)
            return try pipeline.model.streams.transformer.floats(condition.vector)
        }
        #expect(try vector([picture, black]) == vector([picture]))
        #expect(try vector([black]) != vector([picture]))
        let error = #expect(throws: PipelineError.self) {
            try Pipeline(pipeline.model, size: (128, 64))
        }
        #expect(
            error?.message
                == "this model makes pictures of 64 × 64 pixels alone, but 128 × 64 were asked for")
    }

    /// An encoder that was given back is read again, and says the same.
    @Test(arguments: goldens)
    func readsAReleasedEncoderAgain(_ golden: GoldenPipeline) throws {
        let pipeline = try golden.pipeline()
        let picture = try Image(
            file: Goldens.url("tiny-xmdpt/expected/synthesize/source.png").path)
        let pose = try pipeline.pose(.picture(picture))
        func vector() throws -> [Float] {
            let condition = try pipeline.condition(pipeline.source([picture]), pose)
            return try pipeline.model.streams.transformer.floats(condition.vector)
        }
        #expect(pipeline.model.canReleaseSourceEncoder)
        let before = try vector()
        let device = pipeline.model.streams.sourceEncoder.device
        let used = try device.info().memoryUsed
        pipeline.dropSourceEncoder()
        pipeline.model.sourceEncoder.release()
        #expect(!pipeline.model.sourceEncoder.isLoaded)
        #expect(try device.info().memoryUsed < used)
        #expect(try vector() == before)
        #expect(pipeline.model.sourceEncoder.isLoaded)
    }

    @Test func timeGridsOfTheSamplerAreChecked() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "posed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func read(_ json: String) throws -> SamplerDefaults {
            try Data(json.utf8).write(to: folder.appendingPathComponent("config.json"))
            return try SamplerDefaults(folder: folder.path)
        }
        let defaults = try read(#"{"time_grid": [0.1, 0.5, 1], "solver": "euler"}"#)
        #expect(defaults.timeGrid == [0.1, 0.5, 1] && defaults.steps == 2)
        for json in ["[0.5, 0.4, 1]", "[0.5]", "[0, 0.5]", "[0, 2]", "7", #"["a", 1]"#] {
            #expect(throws: ModelError.self) { try read(#"{"time_grid": \#(json)}"#) }
        }
        let error = #expect(throws: (any Error).self) {
            try SamplingSettings(timeGrid: [0.1, 1]).grid(.euler, origin: 0)
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("where this model's noise lies"))
    }
}
