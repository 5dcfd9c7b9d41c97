import PosedBackend
import PosedModels
import PosedTensor
import PosedTesting
import PosedWeights
import Testing

/// The transformer against the PyTorch implementation of the specification, for every switch.
@Suite struct RPFMGoldenTests {
    static let models = ["tiny", "tiny-wide", "tiny-no-aggregation", "tiny-no-concatenation"]

    static func cases(_ names: [String]) -> [PartGolden] {
        PartGolden.cases(models.flatMap { model in names.map { (model, $0) } })
    }

    @Test(arguments: cases(["condition"]) + PartGolden.cases([("tiny", "condition.two-sources")]))
    func aggregatesTheCondition(_ golden: PartGolden) throws {
        let (model, compute) = try load(golden)
        let expected = try golden.tensor("cond")
        var values: [Float] = []
        for row in 0..<expected.shape[0] {
            let source = try self.source(golden, row, model, on: compute)
            let pose = try model.pose(
                latent: try latents(golden, "z_p", row, on: compute),
                embedding: try embeddings(golden, "g_p", row, on: compute), on: compute)
            let vector = try model.condition(source, pose, on: compute).vector
            values += try compute.floats(vector)
        }
        golden.expect(values, expected.floats(), in: compute.precision)
    }

    @Test(
        arguments: cases(["velocity"])
            + PartGolden.cases([
                ("tiny", "velocity.two-sources"), ("tiny", "velocity.other-size"),
            ]))
    func evaluatesTheVelocity(_ golden: PartGolden) throws {
        let (model, compute) = try load(golden)
        let z = try golden.tensor("z")
        let times = try golden.tensor("t").floats()
        let vectors = try golden.tensor("cond")
        let width = model.configuration.hiddenSize
        let rows = try (0..<z.shape[0]).map { row in
            let source = try self.source(golden, row, model, on: compute, blind: true)
            let pose = try model.pose(
                latent: try latents(golden, "z_p", row, on: compute),
                embedding: try nothing(model.configuration.poseEncoderSize, on: compute),
                on: compute)
            let vector = Array(vectors.floats()[row * width..<(row + 1) * width])
            return try model.condition(
                source, pose, vector: try compute.tensor(vector, [width]), on: compute)
        }
        try expectVelocity(golden, model, rows, times, on: compute)
    }

    @Test(arguments: cases(["velocity.empty"]))
    func evaluatesTheEmptyBranch(_ golden: PartGolden) throws {
        let (model, compute) = try load(golden)
        let times = try golden.tensor("t").floats()
        let empty = try model.emptyCondition(model.configuration.latentSize, on: compute)
        try expectVelocity(golden, model, times.map { _ in empty }, times, on: compute)
    }

    /// One batch of all rows, each with its own time and condition.
    private func expectVelocity(
        _ golden: PartGolden, _ model: RPFMTransformer, _ rows: [RowCondition], _ times: [Float],
        on compute: Compute
    ) throws {
        let bank = try VelocityBank(
            model, empty: try model.emptyCondition(rows[0].latentSize, on: compute),
            conditionedRows: rows.count, emptyRows: 0, on: compute)
        let z = try golden.image("z", on: compute)
        for _ in 0..<2 {
            let made = try bank.velocities(of: z, at: times.map(Double.init), rows)
            try golden.expect(image: made, "velocity", on: compute)
        }
    }

    private func load(_ golden: PartGolden) throws -> (RPFMTransformer, Compute) {
        let compute = try UsableDevices.compute(golden.backend)
        let model = try RPFMTransformer.load(folder: golden.folder("transformer"), on: compute)
        return (model.model, compute)
    }

    /// The source of one row, of one or several pictures; `blind` without the encoder's embeddings.
    private func source(
        _ golden: PartGolden, _ row: Int, _ model: RPFMTransformer, on compute: Compute,
        blind: Bool = false
    ) throws -> SourceCondition {
        try model.source(
            latents: try latents(golden, "z_s", row, on: compute),
            embeddings: blind
                ? try nothing(model.configuration.sourceEncoderSize, on: compute)
                : try embeddings(golden, "g_s", row, on: compute), on: compute)
    }

    /// Row `row` of [N, C, h, w] or [N, S, C, h, w] as [S, h, w, C].
    private func latents(
        _ golden: PartGolden, _ key: String, _ row: Int, on compute: Compute
    ) throws -> Tensor {
        let tensor = try golden.tensor(key)
        let one = [1] + tensor.shape.dropFirst()
        let shape = one.count == 5 ? Array(one.dropFirst()) : one
        let count = one.reduce(1, *)
        let values = Array(tensor.floats()[row * count..<(row + 1) * count])
        return try compute.tensor(
            Layout.channelsLast(values, shape), [shape[0], shape[2], shape[3], shape[1]])
    }

    /// Row `row` of [N, T, F] or [N, S, T, F] as [S, T, F].
    private func embeddings(
        _ golden: PartGolden, _ key: String, _ row: Int, on compute: Compute
    ) throws -> Tensor {
        let tensor = try golden.tensor(key)
        let one = [1] + tensor.shape.dropFirst()
        let shape = one.count == 4 ? Array(one.dropFirst()) : one
        let count = one.reduce(1, *)
        return try compute.tensor(
            Array(tensor.floats()[row * count..<(row + 1) * count]), shape)
    }

    private func nothing(_ features: Int, on compute: Compute) throws -> Tensor {
        try compute.tensor([Float](repeating: 0, count: features), [1, 1, features])
    }
}
