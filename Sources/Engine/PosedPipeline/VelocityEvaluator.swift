package import PosedModels
package import PosedTensor

/// Evaluates the guided velocity of a batch of conditions at given times, along one plan.
///
/// With guidance the batch has two rows for each condition, the conditional ones first; they are one
/// evaluation. All that depends on the times alone is computed before the first, and an evaluation at
/// one of them allocates nothing.
package final class VelocityEvaluator {
    private let model: any VelocityModel
    private let compute: Compute
    private let plan: VelocityPlan
    private let conditions: [RowCondition]
    private let empty: RowCondition
    private let guidance: Double
    private var times: [Double] = []
    /// For each time, what brings its modulation vectors to the plan's rows.
    private var modulations: [[Operation]] = []

    /// Loads the conditions into a plan's slots.
    ///
    /// - Parameter times: The times that will be asked for, as far as they are known.
    /// - Throws: `BackendError` when the device fails.
    package init(
        _ model: any VelocityModel, plans: VelocityPlans, conditions: [RowCondition],
        guidance: Double,
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

    /// What brings a state [B, h, w, C] float32 at a time to the plan's rows.
    package func inputs(from z: Tensor, at time: Double) -> [Operation] {
        let count = conditions.count
        let link = model.link(at: time)
        return (0..<(guidance == 1 ? 1 : 2)).map {
            link.feed(z, to: plan.z.sliced(axis: 0, $0 * count..<($0 + 1) * count))
        }
    }

    /// What makes the guided velocity [B, h, w, C] float32 of a state at a time from the plan's rows.
    package func output(of z: Tensor, at time: Double, to velocity: Tensor) -> Operation {
        let count = conditions.count
        return model.link(at: time).collect(
            plan.output.sliced(axis: 0, 0..<count),
            plain: guidance == 1 ? nil : plan.output.sliced(axis: 0, count..<2 * count),
            guidance: guidance, of: z, into: velocity)
    }

    /// Evaluates at the time of that index among those prepared.
    ///
    /// - Throws: `BackendError` when the device fails.
    package func evaluate(inputs: [Operation], timeIndex: Int, output: Operation) throws {
        for operation in inputs { try operation.run(on: compute) }
        for operation in modulations[timeIndex] { try operation.run(on: compute) }
        try plan.evaluate()
        try output.run(on: compute)
    }

    /// The guided velocity at any time, prepared for it if it was not before.
    ///
    /// - Throws: `BackendError` when the device fails.
    package func callAsFunction(_ z: Tensor, at time: Double, into velocity: Tensor) throws {
        if !times.contains(time) { try prepare([time]) }
        try evaluate(
            inputs: inputs(from: z, at: time), timeIndex: times.firstIndex(of: time) ?? 0,
            output: output(of: z, at: time, to: velocity))
    }

    private func prepare(_ times: [Double]) throws {
        guard !times.isEmpty else { return }
        self.times = times
        let guided = try model.modulations(
            times: times, of: conditions.map(\.vector), on: compute)
        let plain =
            guidance == 1
            ? nil : try model.modulations(times: times, of: [empty.vector], on: compute)
        modulations = times.indices.map { index in
            conditions.indices.flatMap { row in
                var operations = [
                    plan.modulation(guided[row * times.count + index], row: row)
                ]
                if let plain {
                    operations.append(plan.modulation(plain[index], row: conditions.count + row))
                }
                return operations
            }
        }
    }
}
