package import PosedTensor

/// One velocity evaluation of a batch of a fixed form, captured once and launched again and again.
///
/// A row is a slot: load a condition into it, then for each evaluation set its modulation vector, write
/// the network's input to `z`, and `evaluate`. Rows do not see each other.
package final class VelocityPlan {
    /// What decides the form of a batch.
    package struct Shape: Hashable, Sendable {
        package var latentSize: LatentSize
        /// For each row, the tokens of its reference; 0 for none.
        package var referenceTokens: [Int]

        /// The form of a batch of these rows.
        package init(latentSize: LatentSize, referenceTokens: [Int]) {
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
    package init(_ model: any VelocityModel, _ shape: Shape, on compute: Compute) throws {
        let slots = try VelocitySlots(model.form, shape, on: compute)
        self.shape = shape
        self.compute = compute
        self.slots = slots
        graph = try compute.capture { try model.evaluate(slots, on: compute) }
    }

    /// The network's inputs, [B, h, w, C] float32.
    package var z: Tensor { slots.z }

    /// The network's outputs, [B, h, w, C] float32.
    package var output: Tensor { slots.output }

    /// Puts a row's condition into its slot.
    ///
    /// - Throws: `BackendError` when the condition does not have the slot's form.
    package func load(_ condition: RowCondition, row: Int) throws {
        try compute.copy(condition.base, to: slots.bases[row])
        if let kept = condition.reference, let slot = slots.references[row] {
            try compute.copy(kept, to: slot)
        }
    }

    /// What sets a row's modulation vector for the next evaluation.
    package func modulation(_ vectors: Tensor, row: Int) -> Operation {
        .copy(vectors, to: slots.modulation[row])
    }

    /// Sets a row's modulation vector for the next evaluation.
    ///
    /// - Throws: `BackendError` when the shape does not fit.
    package func modulate(_ vectors: Tensor, row: Int) throws {
        try modulation(vectors, row: row).run(on: compute)
    }

    /// Computes `output` from `z`.
    ///
    /// - Throws: `BackendError` when the device fails.
    package func evaluate() throws { try compute.launch(graph) }
}
