import PosedBackend
package import PosedTensor

/// What an evaluation of a velocity model reads and writes, one slot for each row.
package struct VelocitySlots {
    /// The network's input, [B, h, w, C] float32.
    package let z: Tensor
    /// The network's output, [B, h, w, C] float32.
    package let output: Tensor
    /// All of the input embedding but z's part, [B, N, D] float32.
    package let bases: Tensor
    /// Modulation vectors, [B, …] float32.
    package let modulation: Tensor
    /// Keys and values of the rows' sources, [depth, 2, tokens, D] each; nil for none.
    package let references: [Tensor?]
}

extension VelocitySlots {
    /// Allocates the slots of a batch, in memory of their own.
    init(_ form: VelocityForm, _ shape: VelocityPlan.Shape, on compute: Compute) throws {
        let (rows, size) = (shape.referenceTokens.count, shape.latentSize)
        let latent = [rows, size.height, size.width, form.channels]
        z = try compute.persistent(latent, .f32)
        output = try compute.persistent(latent, .f32)
        bases = try compute.persistent([rows, form.tokens(size), form.hiddenSize], .f32)
        modulation = try compute.persistent([rows, form.modulationSize], .f32)
        references = try shape.referenceTokens.map { count in
            guard count > 0 else { return nil }
            return try compute.persistent(
                [form.depth, 2, count, form.hiddenSize], compute.precision)
        }
    }
}
