import PosedSolvers
import Testing

@Suite struct SolverPlanTests {
    @Test func compilesEulerToTwoSlots() throws {
        let plan = try SolverPlan(.euler, budget: .steps(2))
        #expect(plan.slotCount == 2)
        #expect(plan.evaluations == 2)
        #expect(plan.times == [0, 0.5])
        let combination = SolverAction.combine(
            .init(
                output: 0,
                terms: [.init(slot: 0, coefficient: 1), .init(slot: 1, coefficient: 0.5)]))
        #expect(
            plan.actions == [
                .evaluate(.init(input: 0, output: 1, time: 0, timeIndex: 0)), combination,
                .evaluate(.init(input: 0, output: 1, time: 0.5, timeIndex: 1)), combination,
            ])
    }

    @Test func usesFewSlots() throws {
        let counts = try ButcherTableau.builtIn.map {
            try SolverPlan($0, budget: .steps(3), lastStepFirstOrder: false).slotCount
        }
        #expect(counts == [2, 4, 3, 4, 4, 5, 6, 5, 7])
    }

    @Test func sharesTimesBetweenSteps() throws {
        let plan = try SolverPlan(.heun, budget: .evaluations(16), lastStepFirstOrder: false)
        #expect(plan.steps == 8)
        #expect(plan.times == (0...8).map { Double($0) / 8 })
        let whole = try SolverPlan(.rk4, budget: .steps(2), lastStepFirstOrder: false)
        #expect(whole.times == [0, 0.25, 0.5, 0.75, 1])
        #expect(try SolverPlan(.euler, budget: .steps(5)).times.count == 5)
    }

    /// No method evaluates at t = 1 on a fixed grid: the last step of those that would is Euler's.
    @Test(arguments: ButcherTableau.builtIn.map(\.name), [1, 2, 5])
    func keepsAwayFromTheData(_ name: String, _ steps: Int) throws {
        let tableau = try SolverRegistry().tableau(name)
        let plan = try SolverPlan(tableau, budget: .steps(steps), timeShift: 2)
        #expect(plan.steps == steps)
        #expect(plan.times.allSatisfy { $0 < 1 })
        let whole = try SolverPlan(
            tableau, budget: .steps(steps), timeShift: 2, lastStepFirstOrder: false)
        #expect(whole.times.contains(1) == tableau.evaluatesStepEnd)
        guard tableau.evaluatesStepEnd else {
            #expect(plan.actions == whole.actions)
            return
        }
        let euler = try SolverPlan(.euler, budget: .steps(1))
        #expect(plan.evaluations == (steps - 1) * tableau.evaluationsPerStep + 1)
        #expect(plan.actions.count == whole.actions.count - whole.actions.count / steps + 2)
        if steps == 1 { #expect(plan.actions == euler.actions && plan.slotCount == 2) }
    }

    @Test func knowsWhichMethodsEvaluateAtTheEnd() {
        let names = ButcherTableau.builtIn.filter(\.evaluatesStepEnd).map(\.name)
        #expect(names == ["heun", "kutta3", "rk4", "dormand-prince"])
    }

    @Test(arguments: ButcherTableau.builtIn.map(\.name))
    func isSound(_ name: String) throws {
        let tableau = try SolverRegistry().tableau(name)
        let plan = try SolverPlan(tableau, budget: .steps(3), timeShift: 2)
        #expect(plan.solver == name)
        var written: Set<Int> = [0]
        var evaluations = 0
        for action in plan.actions {
            switch action {
            case .evaluate(let evaluation):
                #expect(evaluation.input != evaluation.output)
                #expect(evaluation.output != 0)
                #expect(written.contains(evaluation.input))
                #expect(evaluation.timeIndex.map { plan.times[$0] } == evaluation.time)
                written.insert(evaluation.output)
                evaluations += 1
            case .combine(let combination):
                let slots = combination.terms.map(\.slot)
                #expect(Set(slots).count == slots.count)
                #expect(written.isSuperset(of: slots))
                #expect(combination.terms.allSatisfy { $0.coefficient != 0 })
                written.insert(combination.output)
            default: Issue.record("a fixed plan has no \(action)")
            }
        }
        #expect(evaluations == plan.evaluations)
        #expect(written == Set(0..<plan.slotCount))
    }
}
