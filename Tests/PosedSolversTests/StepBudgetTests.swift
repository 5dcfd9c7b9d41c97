import PosedSolvers
import Testing

@Suite struct StepBudgetTests {
    @Test func buysWholeSteps() throws {
        #expect(try StepBudget.evaluations(16).steps(with: .euler) == 16)
        #expect(try StepBudget.evaluations(16).steps(with: .heun) == 8)
        #expect(try StepBudget.evaluations(17).steps(with: .heun) == 8)
        #expect(try StepBudget.evaluations(16).steps(with: .rk4) == 4)
        #expect(try StepBudget.evaluations(16).steps(with: .dormandPrince) == 2)
        #expect(try StepBudget.steps(5).steps(with: .rk4) == 5)
    }

    @Test func buysAtLeastOne() throws {
        #expect(try StepBudget.evaluations(1).steps(with: .rk4) == 1)
    }

    @Test(arguments: [0, -3, 1001, Int.max])
    func refusesAbsurdEvaluations(_ evaluations: Int) {
        let error = #expect(throws: SolverError.self) {
            try StepBudget.evaluations(evaluations).steps(with: .heun)
        }
        #expect(error?.code == .invalidRequest)
        #expect(
            error?.message
                == "1 to 1000 velocity evaluations (NFE) expected, but \(evaluations) asked for")
    }

    @Test(arguments: [0, -3, 251, Int.max])
    func refusesAbsurdSteps(_ steps: Int) {
        let error = #expect(throws: SolverError.self) {
            try StepBudget.steps(steps).steps(with: .rk4)
        }
        #expect(
            error?.message == "1 to 250 steps expected with solver rk4 (4 evaluations a step, "
                + "1000 in all), but \(steps) asked for")
    }
}
