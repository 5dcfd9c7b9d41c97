import PosedScheduling
import Testing

/// What the scheduler expects work to cost, and what it makes of it.
@Suite struct SchedulerPredictionTests {
    private func machine() -> Machine {
        var machine = Machine()
        machine.evaluationCost = { _ in 10 }
        machine.learnCosts()
        return machine
    }

    @Test func aFrameThatWouldBeLateGetsFewerEvaluations() throws {
        var machine = machine()
        // 4 + 1 + n · 10 + 6 ≤ 75 allows 6.
        let id = try machine.admit(machine.frame(evaluations: 16, least: 4, due: 75))
        machine.run()
        #expect(machine.begun[id] == 6)
        #expect(machine.now <= .at(75))
    }

    @Test func itGetsTheLeastWhereNothingHelps() throws {
        var machine = machine()
        let id = try machine.admit(machine.frame(evaluations: 16, least: 4, due: 20))
        machine.run()
        #expect(machine.begun[id] == 4)
        #expect(machine.finished == [id])
    }

    @Test func itGetsAllWhereThereIsTimeOrNoLeave() throws {
        for (least, due) in [(4, 1000), (nil, 20), (4, nil), (16, 20)] as [(Int?, Int?)] {
            var machine = machine()
            let id = try machine.admit(machine.frame(evaluations: 16, least: least, due: due))
            machine.run()
            #expect(machine.begun[id] == 16)
        }
    }

    @Test func withoutExperienceNothingIsReduced() throws {
        var machine = Machine()
        let id = try machine.admit(machine.frame(evaluations: 16, least: 1, due: 1))
        machine.run()
        #expect(machine.begun[id] == 16)
    }

    /// A frame reckons with those before it.
    @Test func companyAndQueueAreReckonedWith() throws {
        var limits = SchedulerLimits()
        limits.batchRows = 2
        var machine = Machine(limits)
        machine.evaluationCost = { _ in 10 }
        machine.learnCosts()
        let first = try machine.admit(machine.frame("a", evaluations: 5, due: 200))
        for _ in 0..<2 { machine.step() }
        let second = try machine.admit(machine.frame("b", evaluations: 16, least: 2, due: 201))
        machine.run()
        #expect(machine.begun[first] == 5)
        #expect(machine.begun[second] ?? 16 < 16)
        #expect(machine.now <= .at(5 + 201))
    }

    /// To the millisecond: 160 − 14 until it is due, less beginning and decoding (7), the decoding of the one
    /// that shares its batches (6), and all that is left of the one that does not (56), leaves 77.
    @Test func whatIsBeforeIsReckonedByWhetherItShares() throws {
        var limits = SchedulerLimits()
        limits.batchRows = 4
        var machine = Machine(limits)
        machine.evaluationCost = { _ in 10 }
        machine.learnCosts()
        machine.learnCosts(form: "n")
        try machine.admit(machine.frame("a", form: "n", evaluations: 5, due: 150))
        for _ in 0..<2 { machine.step() }
        try machine.admit(machine.frame("b", evaluations: 3, due: 100))
        for _ in 0..<2 { machine.step() }
        let last = try machine.admit(machine.frame("c", evaluations: 16, least: 2, due: 150))
        for _ in 0..<2 { machine.step() }
        #expect(machine.begun[last] == 7)
        machine.run()
        #expect(machine.finished.count == 3)
        #expect(machine.now <= .at(160))
    }

    @Test func costsAreRunningAverages() throws {
        var costs = CostModel<String>()
        #expect(costs.cost(evaluationOf: 3, "m") == nil)
        #expect(costs.cost(of: .pose, "m") == nil)
        costs.note(evaluationOf: 2, of: "m", .milliseconds(20))
        #expect(costs.cost(evaluationOf: 1, "m") == .milliseconds(10))
        #expect(costs.cost(evaluationOf: 4, "m") == .milliseconds(40))
        costs.note(evaluationOf: 8, of: "m", .milliseconds(50))
        #expect(
            costs.cost(evaluationOf: 5, "m").map { abs($0 / .milliseconds(35) - 1) < 1e-9 } == true)
        for _ in 0..<100 { costs.note(evaluationOf: 2, of: "m", .milliseconds(30)) }
        let settled = try #require(costs.cost(evaluationOf: 2, "m"))
        #expect(abs(settled / .milliseconds(30) - 1) < 0.01)
        // One stumble moves it little.
        costs.note(evaluationOf: 2, of: "m", .seconds(60))
        #expect(try #require(costs.cost(evaluationOf: 2, "m")) < .milliseconds(42))
        #expect(costs.cost(evaluationOf: 2, "other") == nil)
    }

    @Test func economicalRowsAreTheFewestThatPay() {
        var flat = CostModel<String>()
        for rows in [1, 2, 4, 8] {
            flat.note(evaluationOf: rows, of: "m", .milliseconds(10 * rows))
        }
        #expect(flat.economicalRows(upTo: 8, "m") == 1)
        var steep = CostModel<String>()
        for rows in [1, 2, 4, 8] {
            steep.note(evaluationOf: rows, of: "m", .milliseconds(10 + rows))
        }
        #expect(steep.economicalRows(upTo: 8, "m") == 8)
        #expect(steep.economicalRows(upTo: 4, "m") == 4)
        #expect(steep.economicalRows(upTo: 4, "n") == nil)
    }
}
