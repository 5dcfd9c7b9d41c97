import Foundation
import PosedSolvers
import Testing

@Suite struct AdaptiveSolveTests {
    private static let pairs = ["bogacki-shampine", "dormand-prince"]

    private func run(
        _ name: String, _ problem: Problem, _ tolerance: AdaptiveTolerance
    ) throws -> (error: Double, solve: Solve) {
        var solve = try Solve(adaptive: SolverRegistry().tableau(name), tolerance: tolerance)
        let result = VectorIntegrator.run(
            &solve, from: problem.initial, velocity: problem.velocity)
        return (problem.error(of: result), solve)
    }

    @Test(arguments: pairs, [1e-3, 1e-5, 1e-7])
    func meetsItsTolerance(_ name: String, _ tolerance: Double) throws {
        let (error, solve) = try run(
            name, .smooth,
            AdaptiveTolerance(relative: tolerance, absolute: tolerance, maxEvaluations: 1000))
        #expect(solve.outcome == .completed)
        #expect(error < 20 * tolerance)
        #expect(solve.progress == 1)
    }

    @Test(arguments: pairs) func choosesStepsWhereTheyAreNeeded(_ name: String) throws {
        let tableau = try SolverRegistry().tableau(name)
        let tolerance = try AdaptiveTolerance(
            relative: 1e-6, absolute: 1e-6, maxEvaluations: 1000, firstStep: 0.5)
        var times: [Double] = []
        var solve = try Solve(adaptive: tableau, tolerance: tolerance)
        _ = VectorIntegrator.run(&solve, from: Problem.transient.initial) { z, t in
            times.append(t)
            return Problem.transient.velocity(z, t)
        }
        let early = times.filter { $0 < 0.25 }.count
        let late = times.filter { $0 > 0.75 }.count
        #expect(solve.outcome == .completed)
        #expect(early > 2 * late)
        #expect(times.count == solve.evaluations)
    }

    @Test func reusesTheLastVelocity() throws {
        // A constant velocity has no error: every step is accepted, so evaluations count the
        // stages.
        for (tableau, first, later) in [
            (ButcherTableau.bogackiShampine, 4, 3), (.dormandPrince, 7, 6),
        ] {
            var solve = try Solve(adaptive: tableau)
            var steps = 0
            while true {
                let action = solve.next()
                if case .estimateError = action {
                    steps += 1
                    solve.answer(error: 0)
                }
                if case .finished = action { break }
            }
            #expect(solve.evaluations == first + (steps - 1) * later)
            #expect(steps > 1)
        }
    }

    @Test(arguments: pairs, [7, 8, 13, 20, 50])
    func neverSpendsMoreThanItMay(_ name: String, _ budget: Int) throws {
        let tolerance = try AdaptiveTolerance(
            relative: 1e-10, absolute: 1e-10, maxEvaluations: budget)
        let (error, solve) = try run(name, .smooth, tolerance)
        #expect(solve.outcome == .budgetReached)
        #expect(solve.evaluations <= budget)
        #expect(solve.progress == 1)
        #expect(error < 0.5)
    }

    @Test func saysThatTheLeastStepWasTooLarge() throws {
        let tolerance = try AdaptiveTolerance(
            relative: 1e-12, absolute: 1e-12, maxEvaluations: 1000, firstStep: 0.1, leastStep: 0.1)
        let (_, solve) = try run("bogacki-shampine", .smooth, tolerance)
        #expect(solve.outcome == .toleranceMissed)
    }

    @Test func givesUpOnNaN() throws {
        var solve = try Solve(adaptive: .dormandPrince)
        _ = VectorIntegrator.run(&solve, from: [1]) { _, _ in [.nan] }
        #expect(solve.outcome == .diverged)
        #expect(solve.evaluations <= 200)
    }

    @Test func needsAnErrorEstimate() {
        let error = #expect(throws: SolverError.self) { try Solve(adaptive: .heun) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.hasPrefix("solver heun does not estimate its error") == true)
    }

    @Test func needsABudgetForOneStep() throws {
        let tolerance = try AdaptiveTolerance(relative: 1e-3, absolute: 1e-3, maxEvaluations: 6)
        let error = #expect(throws: SolverError.self) {
            try Solve(adaptive: .dormandPrince, tolerance: tolerance)
        }
        #expect(
            error?.message
                == "solver dormand-prince needs at least 7 evaluations, but 6 are allowed")
    }

    @Test func refusesAbsurdTolerances() {
        #expect(throws: SolverError.self) { try AdaptiveTolerance(relative: 0, absolute: 1e-3) }
        #expect(throws: SolverError.self) { try AdaptiveTolerance(relative: 1e-3, absolute: .nan) }
        #expect(throws: SolverError.self) {
            try AdaptiveTolerance(relative: 1e-3, absolute: 1e-3, maxEvaluations: 0)
        }
        #expect(throws: SolverError.self) {
            try AdaptiveTolerance(relative: 1e-3, absolute: 1e-3, firstStep: 0.1, leastStep: 0.2)
        }
        #expect(throws: SolverError.self) {
            try AdaptiveTolerance(relative: 1e-3, absolute: 1e-3, firstStep: .nan)
        }
    }
}
