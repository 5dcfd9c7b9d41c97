import PosedModels
import PosedPipeline
import PosedSolvers
import PosedTensor

/// The transformer's parts from a file of inputs: the condition, one velocity, a whole solve.
struct TransformerRunner {
    private let runner: PartRunner
    private let model: RPFMTransformer
    private var compute: Compute { runner.compute }
    private var configuration: RPFMConfiguration { model.configuration }

    /// Loads the transformer.
    ///
    /// - Throws: what loading throws.
    init(_ runner: PartRunner) throws {
        self.runner = runner
        model = try runner.load {
            try RPFMTransformer.load(folder: runner.folder.part("transformer"), on: runner.compute)
        }
    }

    /// `cond` [N, D] of `z_s`, `z_p`, `g_s`, `g_p`.
    func condition() throws -> HostTensor {
        var file = try open()
        let sources = try self.sources(&file, "z_s", "C h w")
        let poses = try file.tensor("z_p", "N C h w").channelsLast()
        let seen = try self.sources(&file, "g_s", "tokens F_s")
        let drawn = try file.tensor("g_p", "N tokens_p F_p")
        try checkPatches(poses)
        let rows = try (0..<poses.shape[0]).map { row in
            let source = try model.source(
                latents: try compute.tensor(sources[row].channelsLast()),
                embeddings: try compute.tensor(seen[row]), on: compute)
            let pose = try model.pose(
                latent: try single(poses, row), embedding: try single(drawn, row), on: compute)
            return try compute.host(try model.condition(source, pose, on: compute).vector)
        }
        return HostTensor(stacking: rows)
    }

    /// `velocity` [N, C, h, w] of `z` at `t` under `z_s`, `z_p`, `cond`; without these three that of
    /// guidance's empty branch.
    func velocity() throws -> HostTensor {
        var file = try open()
        let z = try file.tensor("z", "N C h w").channelsLast()
        let times = try file.tensor("t", "N")
        try checkPatches(z)
        let conditions = try conditions(&file, like: z)
        let plan = try VelocityPlan(
            model,
            VelocityPlan.Shape(
                latentSize: conditions[0].latentSize,
                referenceTokens: conditions.map(\.referenceTokens)), on: compute)
        for (row, condition) in conditions.enumerated() {
            try plan.load(condition, row: row)
            let vectors = try model.modulations(
                times: [Double(times.values[row])], of: [condition.vector], on: compute)
            try plan.modulate(vectors[0], row: row)
        }
        try compute.upload(z.values, to: plan.z)
        try plan.evaluate()
        return try compute.host(plan.velocity).channelsFirst()
    }

    /// `latent` [N, C, h, w] that a solve makes of `z0` under `z_s`, `z_p`, `cond`.
    func solve() throws -> HostTensor {
        let solvers = try runner.sampler.registry()
        let settings = try runner.sampler.settings(runner.folder.sampler, solvers)
        var file = try open()
        let noise = try file.tensor("z0", "N C h w").channelsLast()
        try checkPatches(noise)
        let conditions = try conditions(&file, like: noise)
        let outcome = try Sampler(model, on: compute).solve(
            noise: noise.values, conditions: conditions,
            tableau: try solvers.tableau(settings.solver), settings: settings)
        return try compute.host(outcome.latents).channelsFirst()
    }

    private func open() throws -> TensorFile {
        try TensorFile(
            path: runner.input,
            extents: [
                "C": configuration.channels, "D": configuration.hiddenSize,
                "F_s": configuration.sourceEncoderSize, "F_p": configuration.poseEncoderSize,
            ])
    }

    /// The conditions of all rows, with `cond` as given.
    private func conditions(_ file: inout TensorFile, like z: HostTensor) throws -> [RowCondition] {
        let count = z.shape[0]
        if !["z_s", "z_p", "cond"].contains(where: file.contains) {
            let size = RPFMConfiguration.LatentSize(height: z.shape[1], width: z.shape[2])
            let empty = try model.emptyCondition(size, on: compute)
            return Array(repeating: empty, count: count)
        }
        let sources = try self.sources(&file, "z_s", "C h w")
        let poses = try file.tensor("z_p", "N C h w").channelsLast()
        let vectors = try file.tensor("cond", "N D")
        // The aggregation's result is given, so what the encoders saw does not matter.
        let (seen, drawn) = (configuration.sourceEncoderSize, configuration.poseEncoderSize)
        return try (0..<count).map { row in
            let latents = sources[row].channelsLast()
            let blank = HostTensor(
                [latents.shape[0], 1, seen],
                Array(repeating: 0, count: latents.shape[0] * seen))
            let source = try model.source(
                latents: try compute.tensor(latents), embeddings: try compute.tensor(blank),
                on: compute)
            let pose = try model.pose(
                latent: try single(poses, row),
                embedding: try compute.tensor(Array(repeating: 0, count: drawn), [1, 1, drawn]),
                on: compute)
            return try model.condition(
                source, pose, vector: try compute.tensor(vectors[row]), on: compute)
        }
    }

    /// The sources of each row, [S, …]: a tensor [N, …], or [N, S, …] for several.
    private func sources(_ file: inout TensorFile, _ name: String, _ legend: String) throws
        -> [HostTensor]
    {
        let hasSeveral = file.rank(name) == legend.split(separator: " ").count + 2
        let tensor = try file.tensor(name, hasSeveral ? "N S " + legend : "N " + legend)
        return (0..<tensor.shape[0]).map { row in
            hasSeveral ? tensor[row] : tensor[row].reshaped([1] + tensor[row].shape)
        }
    }

    private func single(_ host: HostTensor, _ row: Int) throws -> Tensor {
        try compute.tensor(host[row].reshaped([1] + host[row].shape))
    }

    private func checkPatches(_ latents: HostTensor) throws {
        let patch = configuration.patchSize
        guard latents.shape[1] % patch == 0, latents.shape[2] % patch == 0 else {
            throw PosekitError(
                .invalidInput,
                "\(runner.input): latents' sides must be multiples of \(patch), but "
                    + "they are \(latents.shape[1]) × \(latents.shape[2])")
        }
    }
}
