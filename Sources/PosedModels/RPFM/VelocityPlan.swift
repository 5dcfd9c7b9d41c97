import PosedBackend
import PosedNN
package import PosedTensor

/// One velocity evaluation of a batch of a fixed form, captured once and launched again and again.
///
/// A row is a slot: load a condition into it, then for each evaluation set its modulation vectors, write
/// its latent to `z`, and `evaluate`. Rows do not see each other.
package final class VelocityPlan {
    /// What decides the form of a batch.
    package struct Shape: Hashable, Sendable {
        package var latentSize: RPFMConfiguration.LatentSize
        /// For each row, the tokens of its reference; 0 for none.
        package var referenceTokens: [Int]

        /// The form of a batch of these rows.
        package init(latentSize: RPFMConfiguration.LatentSize, referenceTokens: [Int]) {
            self.latentSize = latentSize
            self.referenceTokens = referenceTokens
        }
    }

    package let shape: Shape
    /// The rows' latents, [B, h, w, C] float32: input of `evaluate`.
    package let z: Tensor
    /// Their velocities, [B, h, w, C] float32: its output.
    package let velocity: Tensor
    private let compute: Compute
    private let bases: Tensor  // [B, N, D] float32
    private let modulation: Tensor  // [B, (6·depth + 2)·D] float32
    private let references: [Tensor?]  // [depth, 2, tokens, D] each
    private var graph: CapturedGraph?

    /// Allocates the slots and captures the evaluation.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package init(_ model: RPFMTransformer, _ shape: Shape, on compute: Compute) throws {
        self.shape = shape
        self.compute = compute
        let configuration = model.configuration
        let (rows, size) = (shape.referenceTokens.count, shape.latentSize)
        let latent = [rows, size.height, size.width, configuration.channels]
        let tokens = size.height * size.width / (configuration.patchSize * configuration.patchSize)
        z = try compute.persistent(latent, .f32)
        velocity = try compute.persistent(latent, .f32)
        bases = try compute.persistent([rows, tokens, configuration.hiddenSize], .f32)
        modulation = try compute.persistent([rows, configuration.modulationSize], .f32)
        references = try shape.referenceTokens.map { count in
            guard count > 0 else { return nil }
            return try compute.persistent(
                [configuration.depth, 2, count, configuration.hiddenSize], compute.precision)
        }
        graph = try compute.capture { try forward(model) }
    }

    /// Puts a row's condition into its slot.
    ///
    /// - Throws: `BackendError` when the condition does not have the slot's form.
    package func load(_ condition: RowCondition, row: Int) throws {
        try compute.copy(condition.base, to: bases[row])
        if let kept = condition.reference, let slot = references[row] {
            try compute.copy(kept, to: slot)
        }
    }

    /// What sets a row's modulation vectors, [(6·depth + 2)·D], for the next evaluation.
    package func modulation(_ vectors: Tensor, row: Int) -> Operation {
        .copy(vectors, to: modulation[row])
    }

    /// Sets a row's modulation vectors, [(6·depth + 2)·D], for the next evaluation.
    ///
    /// - Throws: `BackendError` when the shape does not fit.
    package func modulate(_ vectors: Tensor, row: Int) throws {
        try modulation(vectors, row: row).run(on: compute)
    }

    /// Computes `velocity` from `z`.
    ///
    /// - Throws: `BackendError` when the device fails.
    package func evaluate() throws {
        if let graph { try compute.launch(graph) }
    }

    private func forward(_ model: RPFMTransformer) throws {
        let tokens = try model.patchify(z, on: compute)  // [B, N, C·p·p]
        // [B, N, D]
        let x = try model.inputEmbedder(tokens, on: compute, residual: bases, type: .f32)
        let heads = model.configuration.heads
        for (index, block) in model.blocks.enumerated() {
            let cached = references.map { kept in kept.map { self.cache($0[index], heads) } }
            try block(
                x, modulation: model.blockModulation(index, of: modulation), cached: cached,
                on: compute)
        }
        let (shift, scale) = model.finalModulation(of: modulation)
        let normalized = try compute.layerNorm(
            x, modulation: (scale: scale, shift: shift), eps: RPFMBlock.eps)
        let patches = try model.finalLinear(normalized, on: compute, type: .f32)
        try model.patchify.inverse(patches, into: velocity, on: compute)
    }

    /// [2, tokens, D] as keys and values by head.
    private func cache(_ kept: Tensor, _ heads: Int) -> CachedKeysAndValues {
        let split = kept.splitting(axis: 2, inner: kept.shape[2] / heads)  // [2, T, h, d]
        return CachedKeysAndValues(keys: split[0], values: split[1])
    }
}
