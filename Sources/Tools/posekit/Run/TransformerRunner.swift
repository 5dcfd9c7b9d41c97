import PosedBackend
import PosedModels
import PosedPipeline
import PosedSolvers
import PosedTensor

/// The transformer's parts from a file of inputs: the condition, one velocity, a whole solve.
struct TransformerRunner {
    private let runner: PartRunner
    private let model: any VelocityModel
    private var compute: Compute { runner.compute }
    private var form: VelocityForm { model.form }

    /// Loads the transformer.
    ///
    /// - Throws: what loading throws.
    init(_ runner: PartRunner) throws {
        self.runner = runner
        model = try runner.load {
            try VelocityModels.load(folder: runner.folder.part("transformer"), on: runner.compute)
        }
    }

    /// `cond` [N, D] of `z_s`, `z_p`, `g_s`, `g_p`.
    func condition() throws -> HostTensor {
        var file = try open()
        let sources = try self.sources(&file, "z_s", "C h w")
        let poses = try poseLatents(&file)
        let seen = try self.sources(&file, "g_s", "tokens F_s")
        let drawn = try file.tensor("g_p", "N tokens_p F_p")
        if let poses { try checkPatches(poses) }
        let rows = try (0..<drawn.shape[0]).map { row in
            let source = try model.source(
                latents: try compute.tensor(sources[row].channelsLast()),
                embeddings: try compute.tensor(seen[row]), on: compute)
            let pose = try model.pose(
                latent: try poses.map { try single($0, row) },
                embedding: try single(drawn, row), on: compute)
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
        // Noise's own time may have lost digits on its way through float32.
        let path = form.start - 1e-6...1
        for time in times.values where !path.contains(Double(time)) {
            throw PosekitError(
                .invalidInput,
                "\(runner.input): times from \(form.start) to 1 expected, but one is \(time)")
        }
        let bank = try VelocityBank(
            model, empty: try model.emptyCondition(conditions[0].latentSize, on: compute),
            conditionedRows: conditions.count, emptyRows: 0,
            on: compute)
        let velocities = try bank.velocities(
            of: try compute.tensor(z.values, z.shape), at: times.values.map(Double.init),
            conditions)
        return try compute.host(velocities).channelsFirst()
    }

    /// `latent` [N, C, h, w] that a solve makes of `z0` under `z_s`, `z_p`, `cond`.
    func solve() throws -> HostTensor {
        let solvers = try runner.sampler.registry()
        let settings = try runner.sampler.settings(
            runner.folder.sampler, solvers, origin: form.start)
        var file = try open()
        let noise = try file.tensor("z0", "N C h w")
        try checkPatches(noise.channelsLast())
        let conditions = try conditions(&file, like: noise.channelsLast())
        let tableau = try solvers.tableau(settings.solver)
        let solver = try BatchSolver(
            model, conditions[0].latentSize, rows: 2 * conditions.count, on: compute)
        let solves = try conditions.enumerated().map { row, condition in
            try solver.begin(condition, settings, tableau, noise: noise[row].values)
        }
        try solver.finish(solves)
        let rows = try solves.compactMap(\.latent).map { try compute.host($0).channelsFirst()[0] }
        return HostTensor(stacking: rows)
    }

    private func open() throws -> TensorFile {
        try TensorFile(
            path: runner.input,
            extents: [
                "C": form.channels, "D": form.hiddenSize,
                "F_s": form.sourceEncoderSize, "F_p": form.poseEncoderSize,
            ])
    }

    /// The conditions of all rows, with `cond` as given.
    private func conditions(_ file: inout TensorFile, like z: HostTensor) throws -> [RowCondition] {
        let count = z.shape[0]
        let size = LatentSize(height: z.shape[1], width: z.shape[2])
        let empty = try model.emptyCondition(size, on: compute)
        if !["z_s", "z_p", "cond"].contains(where: file.contains) {
            return Array(repeating: empty, count: count)
        }
        let vectors = try file.tensor("cond", "N D")
        // Where the vector is all of the condition, latents do not matter.
        guard form.conditionsTokens else {
            return try (0..<count).map { row in
                empty.with(vector: try compute.tensor(vectors[row]))
            }
        }
        let sources = try self.sources(&file, "z_s", "C h w")
        let poses = try poseLatents(&file)
        // The aggregation's result is given, so what the encoders saw does not matter.
        let (seen, drawn) = (form.sourceEncoderSize, form.poseEncoderSize)
        return try (0..<count).map { row in
            let latents = sources[row].channelsLast()
            let blank = HostTensor(
                [latents.shape[0], 1, seen],
                Array(repeating: 0, count: latents.shape[0] * seen))
            let source = try model.source(
                latents: try compute.tensor(latents), embeddings: try compute.tensor(blank),
                on: compute)
            let pose = try model.pose(
                latent: try poses.map { try single($0, row) },
                embedding: try compute.tensor(Array(repeating: 0, count: drawn), [1, 1, drawn]),
                on: compute)
            return try model.condition(
                source, pose, vector: try compute.tensor(vectors[row]), on: compute)
        }
    }

    /// `z_p` [N, h, w, C]; nil where the model has no use for it.
    private func poseLatents(_ file: inout TensorFile) throws -> HostTensor? {
        form.usesPoseLatent ? try file.tensor("z_p", "N C h w").channelsLast() : nil
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
        let patch = form.patchSize
        guard latents.shape[1] % patch == 0, latents.shape[2] % patch == 0 else {
            throw PosekitError(
                .invalidInput,
                "\(runner.input): latents' sides must be multiples of \(patch), but "
                    + "they are \(latents.shape[1]) × \(latents.shape[2])")
        }
    }
}
