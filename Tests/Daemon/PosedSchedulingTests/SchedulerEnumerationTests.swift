import PosedScheduling
import Testing

/// Cancelling, expiring and arriving at every point of a history.
@Suite struct SchedulerEnumerationTests {
    /// Three frames of different kinds; returns the one that the test is about.
    private func crowd(_ machine: inout Machine, expiry: Int? = nil) throws -> JobID {
        try machine.admit(machine.frame("a", rows: 1, evaluations: 3))
        let subject = try machine.admit(
            machine.frame("b", rows: 2, evaluations: 4, expiry: expiry))
        try machine.admit(machine.frame("c", rows: 2, evaluations: 2, due: 500))
        return subject
    }

    private func steps() throws -> Int {
        var machine = Machine()
        _ = try crowd(&machine)
        machine.run()
        return machine.events.count
    }

    @Test func cancellingAtAnyPointFreesTheRest() throws {
        for moment in 0...(try steps()) {
            var machine = Machine()
            let subject = try crowd(&machine)
            for _ in 0..<moment { machine.step() }
            let wasDone = machine.finished.contains(subject)
            machine.cancel(subject)
            let before = machine.events.count
            machine.run()
            // Nothing at all is done for it afterwards.
            for event in machine.events[before...] {
                switch event {
                case .stage(_, let id), .finished(let id): #expect(id != subject)
                case .evaluated(let ids): #expect(!ids.contains(subject))
                case .dropped, .idle: break
                }
            }
            #expect(machine.finished.count == (wasDone ? 3 : 2), "cancelled after \(moment)")
            #expect(machine.scheduler.count == 0)
            #expect(machine.scheduler.solving == 0)
        }
    }

    @Test func expiringAtAnyMomentTakesEffectWithinOneStep() throws {
        var whole = Machine()
        _ = try crowd(&whole)
        whole.run()
        let end = Int(whole.now.offset / .milliseconds(1))
        for moment in 1...end + 1 {
            var machine = Machine()
            let subject = try crowd(&machine, expiry: moment)
            var lastWork = TestInstant()
            while machine.scheduler.count > 0 {
                let start = machine.now
                let before = machine.events.count
                machine.step()
                for event in machine.events[before...] {
                    switch event {
                    case .stage(_, let id) where id == subject: lastWork = start
                    case .evaluated(let ids) where ids.contains(subject): lastWork = start
                    default: break
                    }
                }
            }
            // No work for it begins after it has expired.
            #expect(lastWork < .at(moment))
            let isDropped = machine.drops == [Dropped(id: subject, reason: .expired)]
            #expect(isDropped != machine.finished.contains(subject))
            #expect(machine.finished.count == (isDropped ? 2 : 3))
        }
    }

    /// However frames arrive, every one of them ends, exactly once.
    @Test(arguments: 0..<40)
    func everyJobEndsOnce(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var limits = SchedulerLimits()
        limits.batchRows = Int.random(in: 2...8, using: &random)
        limits.solves = Int.random(in: 1...6, using: &random)
        var machine = Machine(limits)
        var admitted = 0
        var cancelled: Set<JobID> = []
        for _ in 0..<200 {
            if Int.random(in: 0..<4, using: &random) == 0 {
                let link: Machine.Job.Link? =
                    Bool.random(using: &random)
                    ? nil
                    : .init(
                        stream: UInt64.random(in: 0..<3, using: &random),
                        maxLag: Bool.random(using: &random) ? nil : .milliseconds(20),
                        isSequential: Bool.random(using: &random))
                let job = machine.frame(
                    ["a", "b", "c"].randomElement(using: &random) ?? "a",
                    form: Bool.random(using: &random) ? "m" : "n",
                    rows: Int.random(in: 1...2, using: &random),
                    evaluations: Int.random(in: 1...9, using: &random), least: 1,
                    due: Bool.random(using: &random)
                        ? nil : Int.random(in: 1...300, using: &random),
                    expiry: Bool.random(using: &random)
                        ? nil : Int.random(in: 1...600, using: &random), link: link)
                if let id = try? machine.admit(job) {
                    admitted += 1
                    if Int.random(in: 0..<9, using: &random) == 0, machine.scheduler.contains(id) {
                        machine.cancel(id)
                        cancelled.insert(id)
                    }
                }
            }
            machine.step()
        }
        machine.run()
        #expect(machine.scheduler.count == 0)
        let ended = machine.finished + machine.drops.map(\.id) + cancelled
        #expect(ended.count == admitted)
        #expect(Set(ended).count == admitted)
    }
}

/// A small generator of random numbers: the same for the same seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
