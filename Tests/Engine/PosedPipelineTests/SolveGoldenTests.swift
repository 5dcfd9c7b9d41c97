import Foundation
import PosedBackend
import PosedPipeline
import PosedSolvers
import PosedTensor
import PosedTesting
import PosedWeights
import Testing

/// Whole solves from given noise against the reference.
@Suite struct SolveGoldenTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let pipeline: GoldenPipeline
        let name: String
        var testDescription: String { "\(name), \(pipeline)" }
    }

    static let cases =
        GoldenPipeline.cases(["tiny"]).flatMap { pipeline in
            [
                "solve.heun", "solve.whole-steps", "solve.euler", "solve.rk4", "solve.two-sources",
            ].map { Case(pipeline: pipeline, name: $0) }
        }
        + GoldenPipeline.cases(["tiny-no-concatenation"]).map {
            Case(pipeline: $0, name: "solve.heun")
        }

    @Test(arguments: cases)
    func endsInTheReferencesLatent(_ one: Case) throws {
        let pipeline = try one.pipeline.pipeline()
        let condition = try one.pipeline.condition(of: one.name, pipeline)
        let settings = try settings(one)
        let noise = try one.pipeline.tensor("z0", of: one.name).floats()
        let outcome = try pipeline.sample([condition], settings, noise: noise)
        let compute = pipeline.model.streams.transformer
        let latent = Layout.channelsFirst(
            try compute.floats(outcome.latents), outcome.latents.shape)
        let expected = try one.pipeline.tensor("latent", of: one.name).floats()
        let error = relativeError(latent, expected)
        #expect(
            error <= (compute.precision == .f32 ? 1e-4 : 2e-2), "\(one.testDescription): \(error)")
        #expect(outcome.outcome == .completed)
    }

    /// A row's result does not depend on its neighbours; nor does a second solve on the first.
    @Test(arguments: GoldenPipeline.cases(["tiny"]))
    func doesNotDependOnNeighbours(_ golden: GoldenPipeline) throws {
        let pipeline = try golden.pipeline()
        let compute = pipeline.model.streams.transformer
        let condition = try golden.condition(of: "solve.heun", pipeline)
        let other = try golden.condition(of: "solve.two-sources", pipeline)
        var settings = SamplingSettings(budget: .steps(2), seed: 3)
        let alone = try compute.floats(pipeline.sample([condition], settings).latents)
        let again = try compute.floats(pipeline.sample([condition], settings).latents)
        #expect(alone == again)
        // Row i of a batch draws its noise from seed + i.
        settings.seed = 1
        let batch = try compute.floats(
            pipeline.sample([other, condition, condition], settings).latents)
        let row = Array(batch[2 * alone.count..<3 * alone.count])
        #expect(row == alone)
    }

    @Test(arguments: GoldenPipeline.cases(["tiny"]))
    func countsEvaluationsAndStops(_ golden: GoldenPipeline) throws {
        let pipeline = try golden.pipeline()
        let condition = try golden.condition(of: "solve.heun", pipeline)
        let settings = SamplingSettings(solver: "rk4", budget: .evaluations(10), seed: 1)
        #expect(try pipeline.sample([condition], settings).evaluations == 9)
        var asked = 0
        let error = #expect(throws: PipelineError.self) {
            try pipeline.sample([condition], settings) {
                asked += 1
                return asked > 3
            }
        }
        #expect(error?.code == .cancelled)
        #expect(asked == 4)
    }

    /// A solve of a form known already takes no more device memory, however many steps it has.
    @Test(arguments: GoldenPipeline.cases(["tiny"]))
    func takesNoMemoryPerStep(_ golden: GoldenPipeline) throws {
        let pipeline = try golden.pipeline()
        let compute = pipeline.model.streams.transformer
        let condition = try golden.condition(of: "solve.heun", pipeline)
        let settings = SamplingSettings(budget: .steps(40), seed: 2)
        _ = try pipeline.sample([condition], settings)
        let before = try compute.device.info().memoryUsed
        var seen: Set<UInt64> = []
        _ = try pipeline.sample([condition], settings) {
            seen.insert((try? compute.device.info().memoryUsed) ?? 0)
            return false
        }
        #expect(seen.count == 1)
        #expect(try compute.device.info().memoryUsed == before)
    }

    /// An adaptive pair stays within its budget, and nearer to a fine grid than a coarse grid does.
    @Test(arguments: GoldenPipeline.cases(["tiny"]))
    func choosesItsSteps(_ golden: GoldenPipeline) throws {
        let pipeline = try golden.pipeline()
        let compute = pipeline.model.streams.transformer
        let condition = try golden.condition(of: "solve.heun", pipeline)
        func latent(_ solver: String, _ budget: StepBudget) throws -> [Float] {
            let settings = SamplingSettings(solver: solver, budget: budget, seed: 5)
            let outcome = try pipeline.sample([condition], settings)
            #expect(outcome.evaluations <= 200)
            return try compute.floats(outcome.latents)
        }
        let fine = try latent("rk4", .steps(48))
        let adaptive = relativeError(try latent("dormand-prince", .evaluations(200)), fine)
        let coarse = relativeError(try latent("euler", .evaluations(8)), fine)
        #expect(adaptive < coarse, "\(adaptive) against \(coarse)")
    }

    private func settings(_ one: Case) throws -> SamplingSettings {
        struct File: Decodable {
            let solver: String
            let steps: Int
            let guidance: Double
            let timeShift: Double
            let lastStepFirstOrder: Bool?
        }
        let url = Goldens.url("\(one.pipeline.model)/expected/\(one.name).json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let file = try decoder.decode(File.self, from: Data(contentsOf: url))
        return SamplingSettings(
            solver: file.solver, budget: .steps(file.steps), guidance: file.guidance,
            timeShift: file.timeShift, lastStepFirstOrder: file.lastStepFirstOrder ?? true)
    }
}
