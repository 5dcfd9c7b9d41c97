package import PosedSolvers

/// How a picture is sampled: solver, effort, guidance and noise.
package struct SamplingSettings: Sendable, Equatable {
    /// A solver's name in the registry.
    package var solver: String
    /// Steps or velocity evaluations.
    package var budget: StepBudget
    /// The scale of classifier-free guidance; 1 evaluates the conditional branch alone.
    package var guidance: Double
    /// The shift of the time grid; 1 is without.
    package var timeShift: Double
    /// The points of the time grid, from the model's noise to 1; nil lays them out by budget and shift.
    package var timeGrid: [Double]?
    /// The seed of the noise.
    package var seed: UInt64
    /// Whether the last step on a fixed grid is Euler's where the method evaluates the velocity at a step's
    /// end, which in the last step is t = 1.
    package var lastStepFirstOrder: Bool

    /// The largest scale of guidance that a request may ask for, either way.
    package static let guidanceLimit = 100.0

    /// Settings as given.
    package init(
        solver: String = "heun", budget: StepBudget = .steps(8), guidance: Double = 1.1,
        timeShift: Double = 1, timeGrid: [Double]? = nil, seed: UInt64 = 0,
        lastStepFirstOrder: Bool = true
    ) {
        self.solver = solver
        self.budget = budget
        self.guidance = guidance
        self.timeShift = timeShift
        self.timeGrid = timeGrid
        self.seed = seed
        self.lastStepFirstOrder = lastStepFirstOrder
    }

    /// A model's defaults, with a seed of their choice or a random one.
    package init(_ defaults: SamplerDefaults) {
        self.init(
            solver: defaults.solver, budget: .steps(defaults.steps), guidance: defaults.guidance,
            timeShift: defaults.timeShift, timeGrid: defaults.timeGrid,
            seed: defaults.seed ?? UInt64.random(in: 0...UInt64.max),
            lastStepFirstOrder: defaults.lastStepFirstOrder)
    }

    /// The time grid that a method walks.
    ///
    /// - Parameters:
    ///   - origin: The time of the model's noise.
    ///   - start: Where on the path the solve begins.
    /// - Throws: `SolverError` for a grid or a budget that cannot be.
    package func grid(
        _ tableau: ButcherTableau, origin: Double, from start: Double = 0
    ) throws -> TimeGrid {
        if let timeGrid {
            let grid = try TimeGrid(points: timeGrid, origin: origin)
            _ = try StepBudget.steps(grid.steps).steps(
                with: tableau, lastStepFirstOrder: lastStepFirstOrder)
            return grid.rest(from: start)
        }
        return try TimeGrid(
            steps: try budget.steps(with: tableau, lastStepFirstOrder: lastStepFirstOrder),
            timeShift: timeShift, origin: origin, from: start)
    }

    /// Checks what the solver does not.
    ///
    /// - Throws: `PipelineError` `.invalidRequest`.
    package func validate() throws {
        guard guidance.isFinite, (0...Self.guidanceLimit).contains(guidance) else {
            throw PipelineError(
                .invalidRequest,
                "guidance must be a number from 0 to \(Int(Self.guidanceLimit)), but it is \(guidance)"
            )
        }
    }
}
