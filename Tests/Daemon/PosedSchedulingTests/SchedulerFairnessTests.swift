import PosedScheduling
import Testing

/// A greedy owner cannot starve others, with deadlines or without.
@Suite struct SchedulerFairnessTests {
    /// A queue deep enough for a glutton, and batches of one solve, so that order shows.
    private func machine() -> Machine {
        var limits = SchedulerLimits()
        limits.batchRows = 2
        limits.allowance = .milliseconds(100)
        var machine = Machine(limits)
        machine.learnCosts()
        return machine
    }

    /// What one frame of the tests costs: 4 + 1 + 4 · 4 + 6.
    private let frameCost = 27

    @Test func aNewcomerIsServedBeforeAGluttonsBacklog() throws {
        var machine = machine()
        for _ in 0..<100 { try machine.admit(machine.frame("glutton")) }
        for _ in 0..<50 { machine.step() }
        let start = machine.now
        let guest = try machine.admit(machine.frame("guest"))
        while !machine.finished.contains(guest), machine.step() {}
        // At most the frame in progress and the one whose turn it is come before it.
        #expect(start.duration(to: machine.now) <= .milliseconds(3 * frameCost))
    }

    /// Whoever comes late shares from then on; he has no claim to what others had before.
    @Test func aNewcomerHasNoClaimToThePast() throws {
        var machine = machine()
        for _ in 0..<60 { try machine.admit(machine.frame("old")) }
        while machine.finished.count < 30, machine.step() {}
        for _ in 0..<30 { try machine.admit(machine.frame("new")) }
        while machine.finished.count < 42, machine.step() {}
        let shares = Dictionary(grouping: machine.finished.suffix(12)) { machine.jobs[$0]?.owner }
        #expect((5...7).contains(shares["old"]?.count ?? 0))
        #expect((5...7).contains(shares["new"]?.count ?? 0))
    }

    @Test func ownersShareTheMachineEqually() throws {
        var machine = machine()
        for _ in 0..<60 { try machine.admit(machine.frame("glutton", evaluations: 8)) }
        for _ in 0..<30 { try machine.admit(machine.frame("modest")) }
        while machine.finished.count(where: { machine.jobs[$0]?.owner == "modest" }) < 30,
            machine.step()
        {
            let glutton = machine.served["glutton"] ?? 0
            let modest = machine.served["modest"] ?? 0
            #expect(abs(glutton - modest) <= 3 * (frameCost + 16))
        }
    }

    /// Deadlines pass others only as far as the allowance: whoever sets deadlines for all he asks does not
    /// get more than that.
    @Test func deadlinesDoNotStarveThoseWithout() throws {
        var machine = machine()
        for _ in 0..<100 { try machine.admit(machine.frame("glutton", due: 10)) }
        let guests = try (0..<5).map { _ in try machine.admit(machine.frame("guest")) }
        var done = 0
        while done < guests.count, machine.step() {
            done = machine.finished.count { guests.contains($0) }
        }
        let glutton = machine.served["glutton"] ?? 0
        let guest = machine.served["guest"] ?? 0
        #expect(glutton <= guest + 100 + 3 * frameCost)
    }

    @Test func aGluttonsDeadlinesDoNotBeatAModestOwners() throws {
        var machine = machine()
        for _ in 0..<50 { try machine.admit(machine.frame("glutton", due: 10)) }
        for _ in 0..<40 { machine.step() }
        let start = machine.now
        let modest = try machine.admit(machine.frame("modest", due: 400))
        while !machine.finished.contains(modest), machine.step() {}
        #expect(start.duration(to: machine.now) <= .milliseconds(100 + 4 * frameCost))
    }

    /// What a cancelled frame did not use is given back to its owner.
    @Test func cancelledFramesAreNotCharged() throws {
        var machine = machine()
        let busy = try machine.admit(machine.frame("other", evaluations: 50))
        for _ in 0..<20 {
            let id = try machine.admit(machine.frame("fickle"))
            machine.cancel(id)
        }
        let wanted = try machine.admit(machine.frame("fickle"))
        for _ in 0..<3 { try machine.admit(machine.frame("other")) }
        machine.run()
        let order = machine.finished.filter { $0 != busy }
        #expect(order.first == wanted)
    }

    /// Sources do not fill up free rows ahead of frames, but they have their turn.
    @Test func sourcesTakeTheirTurn() throws {
        var machine = machine()
        let frame = try machine.admit(machine.frame("a"))
        let sources = try (0..<20).map { _ in try machine.admit(machine.source("b")) }
        let second = try machine.admit(machine.frame("a"))
        machine.run()
        #expect(Set(machine.finished) == Set(sources + [frame, second]))
        let place = try #require(machine.finished.firstIndex(of: second))
        #expect(place < 12)
    }
}
