import PosedScheduling
import Testing

/// What is taken, refused, dropped and superseded.
@Suite struct SchedulerQueueTests {
    @Test func aLaterPoseSupersedesOneThatWaitedTooLong() throws {
        var machine = Machine()
        let link = Machine.Job.Link(stream: 1, maxLag: .milliseconds(10))
        let busy = try machine.admit(machine.source())
        let old = try machine.admit(machine.frame(link: link))
        // Nothing newer has come: it stays, however long it waits.
        machine.step()
        #expect(machine.drops.isEmpty)
        machine.now = .at(50)
        #expect(machine.scheduler.next(now: machine.now).dropped.isEmpty)
        let newer = try machine.admit(machine.frame(link: link))
        let newest = try machine.admit(machine.frame(link: link))
        machine.run()
        #expect(machine.drops == [Dropped(id: old, reason: .superseded(by: newest))])
        #expect(Set(machine.finished) == [busy, newer, newest])
    }

    /// What was begun is finished: its work would be lost.
    @Test func whatWasBegunIsNotSuperseded() throws {
        var machine = Machine()
        let link = Machine.Job.Link(stream: 1, maxLag: .zero)
        let first = try machine.admit(machine.frame(link: link))
        machine.step()
        let second = try machine.admit(machine.frame(link: link))
        machine.run()
        #expect(machine.drops.isEmpty)
        #expect(machine.finished == [first, second])
    }

    /// Latest pose wins: with no lag allowed only the newest of those that wait is made.
    @Test func withoutLagTheLatestWins() throws {
        var machine = Machine()
        let link = Machine.Job.Link(stream: 1, maxLag: .zero)
        let ids = try (0..<6).map { _ in try machine.admit(machine.frame(link: link)) }
        machine.run()
        #expect(machine.finished == [ids[5]])
        #expect(machine.drops.map(\.id) == Array(ids.dropLast()))
        #expect(machine.drops.allSatisfy { $0.reason == .superseded(by: ids[5]) })
    }

    /// More poses of one stream than may wait supersede its oldest at once, as does whoever finds no room.
    @Test func aFullStreamSupersedesAtOnce() throws {
        var limits = SchedulerLimits()
        limits.queuedPerStream = 2
        var machine = Machine(limits)
        let link = Machine.Job.Link(stream: 1, maxLag: .seconds(60))
        let ids = try (0..<3).map { _ in try machine.admit(machine.frame(link: link)) }
        #expect(machine.drops == [Dropped(id: ids[0], reason: .superseded(by: ids[2]))])
        let dropped = machine.scheduler.supersede(in: link)
        let last = try machine.admit(machine.frame(link: link))
        #expect(dropped == Dropped(id: ids[1], reason: .superseded(by: last)))
        #expect(machine.scheduler.supersede(in: .init(stream: 2, maxLag: .zero)) == nil)
        #expect(machine.scheduler.supersede(in: nil) == nil)
        machine.run()
        #expect(machine.finished == [ids[2], last])
    }

    @Test func whatIsHeldIsSupersededAndExpires() throws {
        var machine = Machine()
        let link = Machine.Job.Link(stream: 1, maxLag: .milliseconds(20), isHeld: { true })
        let old = try machine.admit(machine.frame(link: link))
        let newer = try machine.admit(machine.frame(expiry: 100, link: link))
        let hasWorked = machine.step()
        #expect(!hasWorked)
        #expect(machine.events.last == .idle(.at(20)))
        machine.now = .at(20)
        let hasWorkedAgain = machine.step()
        #expect(!hasWorkedAgain)
        #expect(machine.drops == [Dropped(id: old, reason: .superseded(by: newer))])
        #expect(machine.events.last == .idle(.at(100)))
        machine.now = .at(100)
        machine.step()
        #expect(machine.drops.last == Dropped(id: newer, reason: .expired))
        #expect(machine.scheduler.count == 0)
    }

    @Test func unknownJobsAreIgnored() throws {
        var machine = Machine()
        let stranger = JobID(99)
        machine.scheduler.remove(stranger)
        machine.scheduler.solved(stranger)
        machine.scheduler.begins(stranger, evaluations: 3)
        machine.scheduler.evaluated([stranger], rows: 0, form: "m", cost: .zero)
        machine.scheduler.finished(.pose, of: stranger, form: "m", cost: .zero, next: .evaluation)
        #expect(machine.scheduler.affordableEvaluations(stranger, now: .at(0)) == 0)
        #expect(!machine.scheduler.contains(stranger))
        #expect(machine.scheduler.count == 0)
    }
}
