import PosedModels
import PosedOptions
import PosedPipeline
import PosedTensor

/// Measures single velocity evaluations: latents and modulation vectors set, one captured evaluation.
struct VelocityBench {
    let parts: BenchParts
    let run: BenchRun

    /// `velocity.S.b1` for every batch, and `velocity.S.ref.b1` where the model attends to a reference.
    func velocities() throws {
        let subject = parts.subject
        for reference in [false, true] where !reference || subject.transformer.hasReference {
            for batch in run.batches {
                let name = subject.velocity(batch, reference: reference)
                if run.wants(name) { try measure(name, batch, reference: reference) }
            }
        }
    }

    private func measure(_ name: String, _ batch: Int, reference: Bool) throws {
        let model = try parts.transformer()
        let compute = parts.streams.transformer
        Terminal.progress(name)
        let form = model.form
        let empty = try model.emptyCondition(form.latentSize, on: compute)
        let condition = reference ? try referenced(model, on: compute) : empty
        let bank = try VelocityBank(
            model, empty: empty, conditionedRows: batch, emptyRows: 0, on: compute)
        try bank.reserve(conditioned: batch, empty: 0)
        for row in 0..<batch { try bank.load(condition, row: row) }
        let vectors = try model.modulations(times: [0.3], of: [condition.vector], on: compute)
        let shape = [1, form.latentSize.height, form.latentSize.width, form.channels]
        let z = try compute.tensor(BenchRun.noise(shape.reduce(1, *)), shape)
        try run.measure(name, on: compute) {
            for row in 0..<batch {
                try compute.copy(z, to: bank.z(.conditioned(row)))
                try compute.copy(vectors[0], to: bank.modulation(.conditioned(row)))
            }
            try bank.evaluate(conditioned: batch, empty: 0)
            try compute.synchronize()
        }
    }

    /// A condition with the keys and values of a source.
    private func referenced(_ model: any VelocityModel, on compute: Compute) throws -> RowCondition
    {
        let form = model.form
        let size = form.latentSize
        let shape = [1, size.height, size.width, form.channels]
        let latent = try compute.tensor(BenchRun.noise(shape.reduce(1, *)), shape)
        func tokens(_ features: Int) throws -> Tensor {
            try compute.tensor(BenchRun.noise(features), [1, 1, features])
        }
        let source = try model.source(
            latents: latent, embeddings: try tokens(form.sourceEncoderSize), on: compute)
        let pose = try model.pose(
            latent: latent, embedding: try tokens(form.poseEncoderSize), on: compute)
        return try model.condition(source, pose, on: compute)
    }
}
