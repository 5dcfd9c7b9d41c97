import Foundation
import PosedModels
import PosedSolvers

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
