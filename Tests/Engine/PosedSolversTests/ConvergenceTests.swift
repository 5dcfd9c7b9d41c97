import PosedSolvers
import Testing

@Suite struct ConvergenceTests {
    @Test(arguments: ButcherTableau.builtIn.map(\.name))
    func convergesAtItsOrder(_ name: String) throws {
        let tableau = try SolverRegistry().tableau(name)
        let measured = try Problem.smooth.measuredOrder(of: tableau)
        #expect(abs(measured - Double(tableau.order)) < 0.15, "measured \(measured)")
    }

    /// One step of the first order among n costs an error of the order of h².
    @Test(arguments: ["heun", "rk4"])
    func convergesWithALastStepOfFirstOrder(_ name: String) throws {
        let tableau = try SolverRegistry().tableau(name)
        let errors = try [40, 80].map { steps in
            var solve = Solve(try SolverPlan(tableau, budget: .steps(steps)))
            return Problem.smooth.error(
                of: VectorIntegrator.run(
                    &solve, from: Problem.smooth.initial, velocity: Problem.smooth.velocity))
        }
        #expect(errors[0] / errors[1] > 3.5)
    }

    @Test(arguments: ButcherTableau.builtIn.map(\.name))
    func convergesOnAShiftedGrid(_ name: String) throws {
        let tableau = try SolverRegistry().tableau(name)
        let errors = try [40, 80].map { steps in
            let grid = try TimeGrid(steps: steps, timeShift: 3)
            var solve = Solve(SolverPlan(tableau, on: grid, lastStepFirstOrder: false))
            return Problem.smooth.error(
                of: VectorIntegrator.run(
                    &solve, from: Problem.smooth.initial, velocity: Problem.smooth.velocity))
        }
        // Halving the steps divides the error by two to the order, or nearly so.
        #expect(errors[0] / errors[1] > 0.75 * Double(1 << tableau.order))
    }
}
