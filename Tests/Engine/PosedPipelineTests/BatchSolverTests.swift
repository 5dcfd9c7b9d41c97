import PosedBackend
import PosedModels
import PosedPipeline
import PosedSolvers
import PosedTensor
import PosedTesting
import PosedVision
import Testing

/// Solves that begin and end at their own times, against solves by themselves.
@Suite struct BatchSolverTests {
    /// Conditions of one and two sources, and a batch solver beside the pipeline.
    private struct Bench {
        let pipeline: Pipeline
        let solver: BatchSolver
        var conditions: [RowCondition] = []

        init(_ golden: GoldenPipeline, rows: Int) throws {
            pipeline = try golden.pipeline()
            let compute = pipeline.model.streams.transformer
            solver = try BatchSolver(
                pipeline.model.transformer, pipeline.latentSize, rows: rows, on: compute)
            for index in 0..<6 {
                let pictures = try (0...index % 2).map {
                    try Image(
                        width: 64, height: 64,
                        filledWith: RGB(UInt8(30 * index), UInt8(90 * $0), 40))
                }
                let joints = (0..<18).map {
                    Keypoint(x: 5 + Double($0 * (index + 2) % 50), y: 3 * Double($0) + 4)
                }
                conditions.append(
                    try pipeline.condition(
                        try pipeline.source(pictures),
                        try pipeline.pose(.keypoints(try Keypoints(joints)))))
            }
        }

        func settings(_ index: Int) -> SamplingSettings {
            let solvers = ["euler", "heun", "rk4", "midpoint", "euler", "bogacki-shampine"]
            return SamplingSettings(
                solver: solvers[index], budget: .steps(2 + index % 3),
                guidance: index % 2 == 0 ? 1.3 : 1, timeShift: index == 3 ? 2 : 1,
                seed: UInt64(index))
        }

        func begin(_ index: Int) throws -> BatchedSolve {
            let settings = settings(index)
            return try solver.begin(
                conditions[index], settings, try SolverRegistry().tableau(settings.solver))
        }

        func alone(_ index: Int) throws -> [Float] {
            let outcome = try pipeline.sample([conditions[index]], settings(index))
            return try pipeline.model.streams.transformer.floats(outcome.latents)
        }

        func latent(_ solve: BatchedSolve) throws -> [Float] {
            try pipeline.model.streams.transformer.floats(#require(solve.latent))
        }

        func step(_ solves: [BatchedSolve]) throws {
            for problem in try solver.evaluate(solves) { #expect(problem == nil) }
        }
    }

    /// Solves that join, leave and are passed over come to what they come to alone.
    @Test(arguments: GoldenPipeline.cases(["tiny"]))
    func companyDoesNotShow(_ golden: GoldenPipeline) throws {
        let bench = try Bench(golden, rows: 6)
        var waiting = Array(0..<6)
        var active: [(index: Int, solve: BatchedSolve)] = []
        var done: [Int: [Float]] = [:]
        var round = 0
        while done.count < 6 {
            round += 1
            if !waiting.isEmpty {
                active.append((waiting[0], try bench.begin(waiting.removeFirst())))
            }
            // Some rounds leave somebody out, and the order changes.
            var batch = round % 3 == 0 ? Array(active.dropFirst()) : active
            if round % 2 == 0 { batch.reverse() }
            guard !batch.isEmpty else { continue }
            try bench.step(batch.map(\.solve))
            for (index, solve) in active where solve.isFinished {
                done[index] = try bench.latent(solve)
                bench.solver.end(solve)
            }
            active.removeAll { $0.solve.isFinished }
        }
        for index in 0..<6 {
            let (made, alone) = (try #require(done[index]), try bench.alone(index))
            #expect(made == alone, "solve \(index) on \(golden.backend)")
        }
    }

    /// A solve that chooses its steps does so in company, too.
    @Test(arguments: GoldenPipeline.cases(["tiny"]).filter { $0.backend == "blas" })
    func adaptiveSolvesKeepTheirSteps(_ golden: GoldenPipeline) throws {
        let bench = try Bench(golden, rows: 4)
        let settings = SamplingSettings(
            solver: "bogacki-shampine", budget: .evaluations(24), guidance: 1.2, timeShift: 1,
            seed: 3)
        let solve = try bench.solver.begin(bench.conditions[0], settings, .bogackiShampine)
        #expect(solve.plannedEvaluations == 24)
        let other = try bench.begin(1)
        while !solve.isFinished { try bench.step(other.isFinished ? [solve] : [solve, other]) }
        let alone = try bench.pipeline.sample([bench.conditions[0]], settings)
        #expect(solve.evaluations == alone.evaluations && solve.outcome == alone.outcome)
        let expected = try bench.pipeline.model.streams.transformer.floats(alone.latents)
        #expect(try bench.latent(solve) == expected)
    }

    /// Once every form has been seen, solves take no more memory, and give back all they hold.
    @Test(arguments: GoldenPipeline.cases(["tiny"]).filter { $0.backend == "blas" })
    func theSteadyStateTakesNoMemory(_ golden: GoldenPipeline) throws {
        let bench = try Bench(golden, rows: 4)
        let compute = bench.pipeline.model.streams.transformer
        func round() throws {
            var solves = try [0, 1, 2].map(bench.begin)
            while !solves.isEmpty {
                try bench.step(solves)
                for solve in solves where solve.isFinished { bench.solver.end(solve) }
                solves.removeAll(where: \.isFinished)
            }
        }
        for _ in 0..<2 { try round() }
        let (bytes, used) = (compute.workspaceBytes, try compute.device.info().memoryUsed)
        let (forms, inUse) = (bench.solver.capturedForms, compute.scratchBuffersInUse)
        for _ in 0..<5 { try round() }
        #expect(compute.workspaceBytes == bytes)
        #expect(try compute.device.info().memoryUsed == used)
        #expect(bench.solver.capturedForms == forms)
        #expect(compute.scratchBuffersInUse == inUse)
    }

    /// What is not a number stays with its solve.
    @Test(arguments: GoldenPipeline.cases(["tiny"]))
    func aDivergedSolveHarmsNobody(_ golden: GoldenPipeline) throws {
        let bench = try Bench(golden, rows: 4)
        let compute = bench.pipeline.model.streams.transformer
        let shape = try bench.begin(0).latentShape
        let poison = try compute.tensor(
            [Float](repeating: .nan, count: shape.reduce(1, *)), shape)
        let settings = bench.settings(1)
        let bad = try bench.solver.begin(
            bench.conditions[1], settings, .heun,
            warmStart: .init(time: 0.5, latent: poison))
        let good = try bench.begin(0)
        while !good.isFinished { try bench.step(bad.isFinished ? [good] : [bad, good]) }
        while !bad.isFinished { try bench.step([bad]) }
        #expect(try bench.latent(bad).contains { !$0.isFinite })
        let latent = try #require(bad.latent)
        let error = #expect(throws: PipelineError.self) { try bench.pipeline.decode(latent) }
        #expect(error?.code == .diverged)
        let (made, alone) = (try bench.latent(good), try bench.alone(0))
        #expect(made == alone)
    }

    /// From the end of a solve, a warm start near the data stays near it, and costs a share.
    @Test(arguments: GoldenPipeline.cases(["tiny"]).filter { $0.backend == "blas" })
    func aWarmStartWalksTheRestOfThePath(_ golden: GoldenPipeline) throws {
        let bench = try Bench(golden, rows: 4)
        let settings = SamplingSettings(
            solver: "euler", budget: .steps(8), guidance: 1, timeShift: 1, seed: 1)
        let cold = try bench.solver.begin(bench.conditions[0], settings, .euler)
        while !cold.isFinished { try bench.step([cold]) }
        let latent = try #require(cold.latent)
        let warm = try bench.solver.begin(
            bench.conditions[0], settings, .euler, warmStart: .init(time: 0.75, latent: latent))
        #expect(warm.plannedEvaluations == 2 && warm.start == 0.75)
        while !warm.isFinished { try bench.step([warm]) }
        #expect(warm.evaluations == 2)
        #expect(try bench.latent(warm).allSatisfy(\.isFinite))
        #expect(try bench.latent(warm) != bench.latent(cold))
        for time in [-0.5, 1, 2] {
            #expect(throws: SolverError.self) {
                try bench.solver.begin(
                    bench.conditions[0], settings, .euler,
                    warmStart: .init(time: time, latent: latent))
            }
        }
    }
}
