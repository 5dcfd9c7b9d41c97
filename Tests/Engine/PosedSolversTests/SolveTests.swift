import PosedSolvers
import Testing

@Suite struct SolveTests {
    @Test func takesHeunStepsByHand() throws {
        // z' = t + z from 1, one step: k1 = 1, k2 = 1 + 2, z = 1 + (1 + 3) / 2.
        var solve = Solve(
            try SolverPlan(.heun, budget: .steps(1), lastStepFirstOrder: false))
        let result = VectorIntegrator.run(&solve, from: [1]) { z, t in [t + z[0]] }
        #expect(result == [3])
        #expect(solve.evaluations == 2)
        #expect(solve.outcome == .completed)
    }

    @Test func takesTheLastStepOfHeunAsEuler() throws {
        // z' = t + z from 1: Heun to t = 1/2, k1 = 1, k2 = 1/2 + 3/2, z = 7/4; then z + (1/2 + 7/4) / 2.
        var solve = Solve(try SolverPlan(.heun, budget: .steps(2)))
        let result = VectorIntegrator.run(&solve, from: [1]) { z, t in [t + z[0]] }
        #expect(result == [2.875])
        #expect(solve.evaluations == 3)
    }

    @Test func canBeResumedAndCopied() throws {
        let plan = try SolverPlan(.rk4, budget: .steps(2))
        var solve = Solve(plan)
        var actions: [SolverAction] = []
        for _ in 0..<5 { actions.append(solve.next()) }
        var copy = solve
        var rest = actions
        while solve.outcome == .running { actions.append(solve.next()) }
        while copy.outcome == .running { rest.append(copy.next()) }
        #expect(actions == plan.actions)
        #expect(rest == plan.actions)
    }

    @Test func finishesAgainAndAgain() throws {
        var solve = Solve(try SolverPlan(.euler, budget: .steps(1)))
        _ = (solve.next(), solve.next())
        #expect(solve.next() == .finished(slot: 0))
        #expect(solve.next() == .finished(slot: 0))
        solve.answer(error: 5)
        #expect(solve.next() == .finished(slot: 0))
    }

    @Test func tellsItsProgress() throws {
        var solve = Solve(try SolverPlan(.heun, budget: .evaluations(8)))
        #expect(solve.progress == 0)
        var seen: [Double] = []
        while solve.outcome == .running {
            if case .evaluate = solve.next() { seen.append(solve.progress) }
        }
        #expect(seen == (1...7).map { Double($0) / 7 })
    }

    @Test func interleavesWithOthers() throws {
        // Two solves of different methods, one action each in turn, as a scheduler mixes them.
        var solves = [
            Solve(try SolverPlan(.euler, budget: .steps(6))),
            Solve(try SolverPlan(.rk4, budget: .steps(2))),
        ]
        var evaluations = [0, 0]
        while solves.contains(where: { $0.outcome == .running }) {
            for index in solves.indices {
                if case .evaluate = solves[index].next() { evaluations[index] += 1 }
            }
        }
        #expect(evaluations == [6, 5])
    }
}
