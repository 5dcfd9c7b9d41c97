import PosedSolvers
import Testing

@Suite struct StepBudgetTests {
    /// Methods that evaluate at a step's end make one evaluation in their last step.
    @Test func buysWholeSteps() throws {
        #expect(try StepBudget.evaluations(16).steps(with: .euler) == 16)
        #expect(try StepBudget.evaluations(15).steps(with: .heun) == 8)
        #expect(try StepBudget.evaluations(16).steps(with: .heun) == 8)
        #expect(try StepBudget.evaluations(17).steps(with: .heun) == 9)
        #expect(try StepBudget.evaluations(1).steps(with: .heun) == 1)
        #expect(try StepBudget.evaluations(16).steps(with: .rk4) == 4)
        #expect(try StepBudget.evaluations(17).steps(with: .rk4) == 5)
        #expect(try StepBudget.evaluations(7).steps(with: .dormandPrince) == 2)
        #expect(try StepBudget.evaluations(16).steps(with: .midpoint) == 8)
        #expect(try StepBudget.steps(5).steps(with: .rk4) == 5)
    }

    @Test func buysWholeStepsOfOneKind() throws {
        func steps(_ evaluations: Int, _ tableau: ButcherTableau) throws -> Int {
            try StepBudget.evaluations(evaluations)
                .steps(with: tableau, lastStepFirstOrder: false)
        }
        #expect(try steps(16, .euler) == 16)
        #expect(try steps(16, .heun) == 8)
        #expect(try steps(17, .heun) == 8)
        #expect(try steps(16, .rk4) == 4)
        #expect(try steps(16, .dormandPrince) == 2)
    }

    /// Whatever the method and the budget, no more is evaluated than allowed.
    @Test(arguments: ButcherTableau.builtIn.map(\.name), [true, false])
    func isNeverExceeded(_ name: String, _ lastStepFirstOrder: Bool) throws {
        let tableau = try SolverRegistry().tableau(name)
        let cost = tableau.cost(lastStepFirstOrder: lastStepFirstOrder)
        for evaluations in 1...40 {
            let budget = StepBudget.evaluations(evaluations)
            guard cost.lastStep <= evaluations else {
                let error = #expect(throws: SolverError.self) {
                    try budget.steps(with: tableau, lastStepFirstOrder: lastStepFirstOrder)
                }
                #expect(error?.code == .invalidRequest)
                #expect(error?.message.contains("but \(evaluations) asked for") == true)
                continue
            }
            let plan = try SolverPlan(
                tableau, budget: budget, lastStepFirstOrder: lastStepFirstOrder)
            #expect(plan.evaluations <= evaluations)
            #expect(plan.evaluations + tableau.evaluationsPerStep > evaluations)
        }
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
