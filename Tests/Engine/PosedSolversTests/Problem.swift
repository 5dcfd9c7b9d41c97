import Foundation
import PosedSolvers

/// An equation with a known solution, and how wrong a method is on it.
struct Problem: Sendable {
    let initial: [Double]
    let exact: [Double]
    let velocity: @Sendable (_ state: [Double], _ time: Double) -> [Double]

    /// Two equations, one linear and one not, both depending on time, with
    /// the solution z = (exp(sin 3t / 3), 1 / (1 + t²)).
    static let smooth = Problem(
        initial: [1, 1], exact: [exp(sin(3) / 3), 1 / 2],
        velocity: { z, t in [z[0] * cos(3 * t), -2 * t * z[1] * z[1]] })

    /// A fast transient that dies out, then a slow curve: z' = −40·(z − cos t) − sin t from z(0) =
    /// 2.
    static let transient = Problem(
        initial: [2], exact: [cos(1) + exp(-40)],
        velocity: { z, t in [-40 * (z[0] - cos(t)) - sin(t)] })

    /// The greatest error of a method on a grid of equal steps.
    func error(of tableau: ButcherTableau, steps: Int) throws -> Double {
        var solve = Solve(
            SolverPlan(
                tableau, on: try TimeGrid(steps: steps), lastStepFirstOrder: false))
        return error(of: VectorIntegrator.run(&solve, from: initial, velocity: velocity))
    }

    /// The greatest error of a result.
    func error(of result: [Double]) -> Double {
        zip(result, exact).map { abs($0 - $1) }.max() ?? .infinity
    }

    /// The slope of log error over log step size, by least squares: the measured order.
    func measuredOrder(of tableau: ButcherTableau) throws -> Double {
        // Few enough steps that rounding stays far below the error of a high order.
        let steps = tableau.order >= 5 ? [24, 32, 48, 64] : [64, 96, 128, 192, 256]
        let x = steps.map { -log(Double($0)) }
        let y = try steps.map { log(try error(of: tableau, steps: $0)) }
        let meanX = x.reduce(0, +) / Double(x.count)
        let meanY = y.reduce(0, +) / Double(y.count)
        let covariance = zip(x, y).map { ($0 - meanX) * ($1 - meanY) }.reduce(0, +)
        return covariance / x.map { ($0 - meanX) * ($0 - meanX) }.reduce(0, +)
    }
}
