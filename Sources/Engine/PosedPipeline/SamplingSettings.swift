import Foundation
import PosedModels
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

/// `sampler/config.json`: what a request gets that does not say otherwise.
package struct SamplerDefaults: Sendable, Equatable {
    /// A solver's name.
    package var solver = "heun"
    /// Steps of the time grid.
    package var steps = 8
    /// The scale of classifier-free guidance; 1 is without.
    package var guidance = 1.1
    /// The shift of the time grid; 1 is without.
    package var timeShift = 1.0
    /// The points of the time grid, in place of steps and shift; nil is without.
    package var timeGrid: [Double]?
    /// Whether the last step of a fixed grid is of first order, see `SamplingSettings`.
    package var lastStepFirstOrder = true
    /// A fixed seed; nil draws one for each request.
    package var seed: UInt64?

    /// The specification's defaults.
    package init() {}

    /// Reads the folder's `config.json`; without one, the specification's defaults.
    ///
    /// - Throws: `ModelError` for a value that cannot be.
    package init(folder: String) throws {
        guard FileManager.default.fileExists(atPath: folder + "/config.json") else { return }
        let file = try ConfigurationFile(folder: folder)
        solver = try file.string("solver", default: solver)
        steps = try file.integer("steps", default: steps, in: 1...1000)
        guidance = try file.number("guidance_scale", default: guidance, in: 0...100)
        timeShift = try file.number("time_shift", default: timeShift, in: 0.01...100)
        if let points = try file.numbers("time_grid", in: 0...1) {
            do throws(SolverError) {
                timeGrid = try TimeGrid(points: points, origin: points.first ?? 0).points
            } catch {
                throw ModelError(.malformed, "\(file.path): \"time_grid\": \(error.message)")
            }
            steps = points.count - 1
        }
        lastStepFirstOrder = try file.bool("last_step_first_order", default: lastStepFirstOrder)
        if (try? file.string("seed", default: "random")) != "random" {
            seed = UInt64(try file.integer("seed", in: 0...Int.max))
        }
    }
}
