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
    private let compute: Compute
    private let slots: VelocitySlots
    private let graph: CapturedGraph

    /// Allocates the slots and captures the evaluation.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package init(_ model: RPFMTransformer, _ shape: Shape, on compute: Compute) throws {
        let slots = try VelocitySlots(model.configuration, shape, on: compute)
        self.shape = shape
        self.compute = compute
        self.slots = slots
        graph = try compute.capture { try slots.evaluate(model, on: compute) }
    }

    /// The rows' latents, [B, h, w, C] float32: input of `evaluate`.
    package var z: Tensor { slots.z }

    /// Their velocities, [B, h, w, C] float32: its output.
    package var velocity: Tensor { slots.velocity }

    /// Puts a row's condition into its slot.
    ///
    /// - Throws: `BackendError` when the condition does not have the slot's form.
    package func load(_ condition: RowCondition, row: Int) throws {
        try compute.copy(condition.base, to: slots.bases[row])
        if let kept = condition.reference, let slot = slots.references[row] {
            try compute.copy(kept, to: slot)
        }
    }

    /// What sets a row's modulation vectors, [(6·depth + 2)·D], for the next evaluation.
    package func modulation(_ vectors: Tensor, row: Int) -> Operation {
        .copy(vectors, to: slots.modulation[row])
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
    package func evaluate() throws { try compute.launch(graph) }
}
