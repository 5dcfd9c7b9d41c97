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
    /// The seed of the noise.
    package var seed: UInt64

    /// The largest scale of guidance that a request may ask for, either way.
    package static let guidanceLimit = 100.0

    /// Settings as given.
    package init(
        solver: String = "heun", budget: StepBudget = .steps(8), guidance: Double = 1.1,
        timeShift: Double = 1, seed: UInt64 = 0
    ) {
        self.solver = solver
        self.budget = budget
        self.guidance = guidance
        self.timeShift = timeShift
        self.seed = seed
    }

    /// A model's defaults, with a seed of their choice or a random one.
    package init(_ defaults: SamplerDefaults) {
        self.init(
            solver: defaults.solver, budget: .steps(defaults.steps), guidance: defaults.guidance,
            timeShift: defaults.timeShift, seed: defaults.seed ?? UInt64.random(in: 0...UInt64.max))
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
