package import PosedPipeline
package import PosedSolvers
package import PosedTensor
package import PosedVision

/// What an encoding came to: a source's or a pose's. Only the executor that made it knows what is in it.
package protocol Conditioning: Sendable {
    /// Bytes of device memory held.
    var byteCount: Int { get }
}

/// A solve in progress. Used on the lane's thread alone.
package protocol LaneSolve: AnyObject {
    /// Velocity evaluations made.
    var evaluations: Int { get }
    /// Velocity evaluations that it will make in all, or at most where it chooses its steps.
    var plannedEvaluations: Int { get }
    /// Whether it has arrived.
    var isFinished: Bool { get }
    /// Where on the path it began.
    var start: Double { get }
}

/// How a solve is to be made.
package struct SolvePlan: Sendable {
    package var settings: SamplingSettings
    package var tableau: ButcherTableau
    /// Where on the path it begins if `previous` is there; 0: at noise.
    package var warmStart: Double
    /// The solve it begins at.
    package var previous: (any Conditioning)?

    /// As given.
    package init(
        settings: SamplingSettings, tableau: ButcherTableau, warmStart: Double = 0,
        previous: (any Conditioning)? = nil
    ) {
        self.settings = settings
        self.tableau = tableau
        self.warmStart = warmStart
        self.previous = previous
    }

    /// Makes do with fewer evaluations, in whole steps: as many as `evaluations` buys, but no fewer than
    /// `least` and one step.
    package mutating func reduce(to evaluations: Int, least: Int) {
        if case .evaluations = settings.budget, tableau.isAdaptive, warmStart == 0 {
            settings.budget = .evaluations(max(evaluations, least, tableau.stages))
            return
        }
        let cost = tableau.cost(lastStepFirstOrder: settings.lastStepFirstOrder)
        var fewest = max(1, cost.steps(evaluations: least))
        if cost.evaluations(steps: fewest) < least { fewest += 1 }
        settings.budget = .steps(max(cost.steps(evaluations: evaluations), fewest))
    }
}

/// Whoever performs what the lane decides. Used on the lane's thread alone; every function returns when
/// its work is done.
package protocol LaneExecutor: AnyObject {
    /// Encodes a person's pictures.
    func source(_ pictures: [Image], _ form: LaneForm) throws -> any Conditioning
    /// An encoded source in the host's memory.
    func save(_ source: any Conditioning, _ form: LaneForm) throws -> [HostTensor?]
    /// A source of what an executor of an equal model saved.
    func restore(_ saved: [HostTensor?], _ form: LaneForm) throws -> any Conditioning
    /// Encodes a pose.
    func pose(_ pose: PoseInput, _ form: LaneForm) throws -> any Conditioning
    /// Begins a solve.
    func begin(
        _ plan: SolvePlan, source: any Conditioning, pose: any Conditioning, _ form: LaneForm
    ) throws -> any LaneSolve
    /// Makes one evaluation of each of the solves, together.
    ///
    /// - Returns: For each solve, what went wrong with it alone, or nil.
    /// - Throws: when the evaluation failed as a whole; then no solve has moved.
    func evaluate(_ solves: [any LaneSolve], _ form: LaneForm) throws -> [(any Error)?]
    /// Makes the picture of a solve that has arrived.
    func decode(_ solve: any LaneSolve, _ form: LaneForm) throws -> Image
    /// What the next solve of a stream may begin at.
    func result(of solve: any LaneSolve, _ form: LaneForm) -> (any Conditioning)?
    /// Forgets a solve.
    func end(_ solve: any LaneSolve, _ form: LaneForm)
    /// Gives back what has not been used for long.
    ///
    /// - Returns: How long until there is more to give back; nil: nothing.
    func tidy(now: ContinuousClock.Instant) -> Duration?
}
