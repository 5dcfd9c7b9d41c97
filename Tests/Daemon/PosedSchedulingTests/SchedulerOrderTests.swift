import PosedGuarded
import PosedScheduling
import Testing

/// What is done before what.
@Suite struct SchedulerOrderTests {
    @Test func aFrameGoesThroughItsStages() throws {
        var machine = Machine()
        let id = try machine.admit(machine.frame(evaluations: 2))
        machine.run()
        #expect(
            machine.events == [
                .stage(.pose, id), .stage(.begin, id), .evaluated([id]), .evaluated([id]),
                .stage(.decode, id), .finished(id), .idle(nil),
            ])
        #expect(machine.scheduler.count == 0)
    }

    @Test func framesShareBatchesUpToTheirRows() throws {
        var limits = SchedulerLimits()
        limits.batchRows = 6
        var machine = Machine(limits)
        for _ in 0..<4 { try machine.admit(machine.frame(rows: 2, evaluations: 3)) }
        machine.run()
        #expect(machine.finished.count == 4)
        #expect(machine.batches.allSatisfy { $0 <= 6 })
        // Three are prepared before the first evaluation; the fourth takes its turn alone.
        #expect(machine.batches == [6, 6, 6, 2, 2, 2])
    }

    @Test func otherFormsDoNotShareBatches() throws {
        var machine = Machine()
        let ids = try ["m", "n", "m", "n"].map { try machine.admit(machine.frame(form: $0)) }
        machine.run()
        for case .evaluated(let batch) in machine.events {
            #expect(
                Set(batch).isSubset(of: [ids[0], ids[2]])
                    || Set(batch).isSubset(of: [ids[1], ids[3]]))
        }
        #expect(Set(machine.finished) == Set(ids))
    }

    @Test func theEarliestDeadlineIsFirst() throws {
        var limits = SchedulerLimits()
        limits.batchRows = 2
        var machine = Machine(limits)
        let patient = try machine.admit(machine.frame())
        let late = try machine.admit(machine.frame("b", due: 900))
        let soon = try machine.admit(machine.frame("c", due: 500))
        machine.run()
        #expect(machine.finished == [soon, late, patient])
    }

    /// A frame with a deadline that comes in the middle of another's solve is served at the next evaluation.
    @Test func aDeadlinePassesASolveInProgress() throws {
        var limits = SchedulerLimits()
        limits.batchRows = 2
        var machine = Machine(limits)
        let long = try machine.admit(machine.frame(evaluations: 100))
        for _ in 0..<10 { machine.step() }
        let urgent = try machine.admit(machine.frame("b", due: 60))
        machine.run()
        #expect(machine.finished == [urgent, long])
        // Both are in progress at once, and still no batch has more rows than it may.
        #expect(machine.batches.allSatisfy { $0 <= 2 })
    }

    /// A solve that is done becomes a picture before anything else.
    @Test func decodingComesFirst() throws {
        var machine = Machine()
        let short = try machine.admit(machine.frame(evaluations: 1))
        for _ in 0..<20 { try machine.admit(machine.frame("b", evaluations: 9)) }
        machine.run()
        let solved = try #require(
            machine.events.firstIndex {
                if case .evaluated(let ids) = $0 { ids.contains(short) } else { false }
            })
        #expect(machine.events[solved + 1] == .stage(.decode, short))
    }

    /// Neither preparation nor decoding of others makes a frame late that would be in time.
    @Test func nobodyIsMadeLateByAnothersStage() throws {
        var machine = Machine()
        machine.stageCosts[.pose] = 200
        machine.learnCosts()
        // 1 (begin) + 10 · 4 + 6 (decode) = 47 ms after its pose.
        let tight = try machine.admit(machine.frame("a", evaluations: 10, due: 250))
        for _ in 0..<3 { try machine.admit(machine.frame("b", evaluations: 10)) }
        while machine.finished.isEmpty, machine.step() {}
        #expect(machine.finished == [tight])
        #expect(machine.now <= .at(250))
        machine.run()
        #expect(machine.finished.count == 4)
    }

    /// A batch is kept narrow where company would make its most urgent member late.
    @Test func nobodyIsMadeLateByCompany() throws {
        var machine = Machine()
        machine.evaluationCost = { 10 * $0 }
        machine.learnCosts()
        let others = try (0..<3).map { _ in try machine.admit(machine.frame("b", evaluations: 9)) }
        while machine.batches.isEmpty { machine.step() }
        let tight = try machine.admit(machine.frame("a", evaluations: 5, due: 130))
        let end = machine.now.advanced(by: .milliseconds(130))
        while !machine.finished.contains(tight), machine.step() {}
        #expect(machine.now <= end)
        machine.run()
        #expect(Set(machine.finished) == Set(others + [tight]))
    }

    /// With as many solves in progress as may be, no other is begun.
    @Test func solvesInProgressAreBounded() throws {
        var limits = SchedulerLimits()
        limits.solves = 3
        var machine = Machine(limits)
        for _ in 0..<10 { try machine.admit(machine.frame()) }
        while machine.step() { #expect(machine.scheduler.solving <= 3) }
        #expect(machine.finished.count == 10)
    }

    /// Sequential jobs of a stream solve one after another, in their order; others do not wait for them.
    @Test func sequentialJobsWaitForEachOther() throws {
        var machine = Machine()
        let link = Machine.Job.Link(stream: 7, isSequential: true)
        let chain = try (0..<3).map { _ in try machine.admit(machine.frame(link: link)) }
        let other = try machine.admit(machine.frame("b"))
        machine.run()
        #expect(machine.finished.filter { $0 != other } == chain)
        for case .evaluated(let ids) in machine.events {
            #expect(ids.count { chain.contains($0) } <= 1)
        }
        #expect(machine.finished.first == chain[0])
        #expect(machine.finished[1] == other)
    }

    /// Frames of a live stream are made one after another, however many rows are free.
    @Test func aLiveStreamHasOneFrameInProgress() throws {
        var machine = Machine()
        let link = Machine.Job.Link(stream: 7, maxLag: .seconds(60))
        let chain = try (0..<3).map { _ in try machine.admit(machine.frame(link: link)) }
        while machine.step() { #expect(machine.scheduler.solving <= 1) }
        #expect(machine.finished == chain)
    }

    @Test func aHeldStreamIsNotBegun() throws {
        var machine = Machine()
        let isHeld = Guarded(true)
        let link = Machine.Job.Link(stream: 1, isHeld: { isHeld.withLock { $0 } })
        let held = try machine.admit(machine.frame(link: link))
        let other = try machine.admit(machine.frame())
        machine.run()
        #expect(machine.finished == [other])
        isHeld.withLock { $0 = false }
        machine.run()
        #expect(machine.finished == [other, held])
    }

    /// Frames of a lone stream share batches and come one by one all the same, at no loss of throughput.
    @Test(arguments: [2, 4, 8])
    func framesOfAStreamComeAtAnEvenPace(rows: Int) throws {
        let count = 40
        func finishes(link: Machine.Job.Link?) throws -> [Double] {
            var limits = SchedulerLimits()
            limits.batchRows = rows
            var machine = Machine(limits)
            machine.learnCosts()
            for _ in 0..<count {
                try machine.admit(machine.frame(rows: 1, evaluations: 16, link: link))
            }
            var times: [Double] = []
            let start = machine.now
            while machine.step() {
                let now = start.duration(to: machine.now) / .milliseconds(1)
                while times.count < machine.finished.count { times.append(now) }
            }
            return times
        }
        let stream = try finishes(link: .init(stream: 1))
        let others = try finishes(link: nil)
        #expect(stream.count == count && others.count == count)
        // The first frames ramp up, the last run out.
        let steady = stream[rows..<(count - rows)]
        let gaps = zip(steady, steady.dropFirst()).map { $1 - $0 }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let deviation = gaps.map { abs($0 - mean) }.reduce(0, +) / Double(gaps.count)
        #expect(deviation <= 0.15 * mean, "\(gaps)")
        let loss = (stream.last ?? 0) / (others.last ?? 1)
        #expect(loss <= 1.1, "\(loss)")
    }

    /// A live client that sends a pose for each frame that comes gets them at an even pace where a row in company takes
    /// as long as one alone, whatever the evaluations, and as many as when frames share batches.
    @Test(arguments: [1, 2, 4, 7])
    func aLoneStreamComesAtAnEvenPace(evaluations: Int) throws {
        func finishes(economicalRows: Int) throws -> [Double] {
            var limits = SchedulerLimits()
            limits.batchRows = 2
            limits.economicalRows = economicalRows
            var machine = Machine(limits)
            machine.evaluationCost = { 8 * $0 }
            machine.learnCosts()
            var times: [Double] = []
            // Poses that are on their way, with the moment of their coming.
            var coming = [machine.now, machine.now]
            let start = machine.now
            while times.count < 40 {
                while let first = coming.first, first <= machine.now {
                    coming.removeFirst()
                    try machine.admit(
                        machine.frame(rows: 1, evaluations: evaluations, link: .init(stream: 1)))
                }
                if !machine.step() { machine.now = try #require(coming.first) }
                while times.count < machine.finished.count {
                    times.append(start.duration(to: machine.now) / .milliseconds(1))
                    coming.append(machine.now.advanced(by: .milliseconds(2)))
                }
            }
            return times
        }
        let times = try finishes(economicalRows: 1)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let deviation = gaps.map { abs($0 - mean) }.reduce(0, +) / Double(gaps.count)
        #expect(deviation <= 0.05 * mean, "\(gaps)")
        let shared = try finishes(economicalRows: 2)
        #expect(try #require(times.last) <= 1.01 * (try #require(shared.last)))
    }
}
