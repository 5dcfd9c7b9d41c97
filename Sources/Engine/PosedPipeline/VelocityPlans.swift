package import PosedModels
package import PosedTensor

/// The captured evaluations of one stream, by form; the least recently used goes first.
package final class VelocityPlans {
    private let model: any VelocityModel
    private let compute: Compute
    private let limit: Int
    private var plans: [VelocityPlan] = []

    /// An empty cache of at most `limit` plans.
    package init(_ model: any VelocityModel, on compute: Compute, limit: Int = 8) {
        self.model = model
        self.compute = compute
        self.limit = limit
    }

    /// The plan of a form, captured if there is none yet.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func plan(_ shape: VelocityPlan.Shape) throws -> VelocityPlan {
        if let index = plans.firstIndex(where: { $0.shape == shape }) {
            let plan = plans.remove(at: index)
            plans.append(plan)
            return plan
        }
        if plans.count >= limit { plans.removeFirst() }
        let plan = try VelocityPlan(model, shape, on: compute)
        plans.append(plan)
        return plan
    }
}
