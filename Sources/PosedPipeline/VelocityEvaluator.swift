package import PosedModels
package import PosedTensor

/// Evaluates the guided velocity of a batch of conditions at given times, along one plan.
///
/// With guidance the batch has two rows for each condition, the conditional ones first; they are one
/// evaluation. All that depends on the times alone is computed before the first.
package final class VelocityEvaluator {
    private let model: RPFMTransformer
    private let compute: Compute
    private let plan: VelocityPlan
    private let conditions: [RowCondition]
    private let empty: RowCondition
    private let guidance: Double
    /// Vectors for each time: [conditions · times, …], and [times, …] of the empty branch.
    private var conditional: Tensor?
    private var unconditional: Tensor?
    private var times: [Double] = []

    /// Loads the conditions into a plan's slots.
    ///
    /// - Parameter times: The times that will be asked for, as far as they are known.
    /// - Throws: `BackendError` when the device fails.
    package init(
        _ model: RPFMTransformer, plans: VelocityPlans, conditions: [RowCondition], guidance: Double,
        times: [Double], on compute: Compute
    ) throws {
        self.model = model
        self.compute = compute
        self.conditions = conditions
        self.guidance = guidance
        empty = try model.emptyCondition(conditions[0].latentSize, on: compute)
        let rows = guidance == 1 ? conditions : conditions + conditions.map { [empty] _ in empty }
        plan = try plans.plan(
            VelocityPlan.Shape(
                latentSize: conditions[0].latentSize,
                referenceTokens: rows.map(\.referenceTokens)))
        for (row, condition) in rows.enumerated() { try plan.load(condition, row: row) }
        try prepare(times)
    }

    /// The guided velocity of every row at one time.
    ///
    /// - Parameters:
    ///   - z: [B, h, w, C] float32.
    ///   - output: Where to write it, [B, h, w, C] float32.
    /// - Throws: `BackendError` when the device fails.
    package func callAsFunction(_ z: Tensor, at time: Double, into output: Tensor) throws {
        let count = conditions.count
        if !times.contains(time) { try prepare([time]) }
        let index = times.firstIndex(of: time) ?? 0
        try compute.copy(z, to: plan.z.sliced(axis: 0, 0..<count))
        for row in 0..<count {
            if let conditional {
                try plan.modulate(conditional[row * times.count + index], row: row)
            }
            if guidance != 1, let unconditional {
                try plan.modulate(unconditional[index], row: count + row)
            }
        }
        if guidance != 1 { try compute.copy(z, to: plan.z.sliced(axis: 0, count..<2 * count)) }
        try plan.evaluate()
        let guided = plan.velocity.sliced(axis: 0, 0..<count)
        if guidance == 1 {
            try compute.copy(guided, to: output)
        } else {
            let plain = plan.velocity.sliced(axis: 0, count..<2 * count)
            let scale = Float(guidance)
            try compute.combine([(1 - scale, plain), (scale, guided)], into: output)
        }
    }

    private func prepare(_ times: [Double]) throws {
        guard !times.isEmpty else { return }
        self.times = times
        conditional = try model.modulations(
            times: times, of: conditions.map(\.vector), on: compute)
        if guidance != 1 {
            unconditional = try model.modulations(times: times, of: [empty.vector], on: compute)
        }
    }
}
