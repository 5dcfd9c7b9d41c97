import PosedAccounts
import PosedErrors
import PosedScheduling
import PosedServing
import Testing

/// What the lane does with jobs, and what it gives back, at every point of their way.
@Suite struct LaneTests {
    /// Three frames and a source; the second is the one that tests interfere with.
    private func crowd(expiry: Duration? = nil) throws -> LaneBench {
        let bench = LaneBench()
        try bench.frame("a", steps: 3)
        try bench.frame("b", steps: 4, expiry: expiry)
        try bench.source()
        try bench.frame("c", steps: 1)
        return bench
    }

    private let subject = 1
    private let name = "s/p1"

    /// Calls of the executor in an undisturbed run.
    private func callCount() throws -> Int {
        let bench = try crowd()
        bench.run()
        #expect((0..<4).map { bench.outcomes[$0] } == others("frame 4"))
        return bench.executor.calls.count { if case .end = $0 { false } else { true } }
    }

    private func others(_ outcome: String) -> [[String]] {
        [["frame 3"], [outcome], ["conditioning"], ["frame 1"]]
    }

    private func isAbout(_ call: FakeExecutor.Call, _ bench: LaneBench) -> Bool {
        switch call {
        case .source, .pose, .end: false
        case .begin(let text), .decode(let text): text == name
        case .evaluate(let texts): texts.contains(name)
        }
    }

    @Test func cancellingInTheMiddleOfAnyCallTakesEffectAfterIt() throws {
        for moment in 0..<(try callCount()) {
            let bench = try crowd()
            var atCancelling = 0
            var wasDone = false
            bench.executor.interfere = { number, _ in
                guard number == moment else { return }
                wasDone = !bench.outcomes[1].isEmpty
                bench.cancel(1)
                atCancelling = bench.executor.calls.count
                // The caller knows at once, in the middle of the call.
                #expect(bench.outcomes[1] == [wasDone ? "frame 4" : "cancelled"])
            }
            bench.run()
            let outcome = wasDone ? "frame 4" : "cancelled"
            #expect((0..<4).map { bench.outcomes[$0] } == others(outcome), "at call \(moment)")
            #expect(
                !bench.executor.calls[atCancelling...].contains { isAbout($0, bench) } || wasDone)
            #expect(bench.isEmpty())
        }
    }

    @Test func expiringInTheMiddleOfAnyCallTakesEffectAfterIt() throws {
        for moment in 0..<(try callCount()) {
            let bench = try crowd(expiry: .seconds(60))
            var atExpiring = Int.max
            bench.executor.interfere = { number, _ in
                guard number == moment else { return }
                bench.clock.advance(.seconds(61))
                atExpiring = bench.executor.calls.count
            }
            bench.run()
            let isDecoded = bench.executor.calls[..<min(atExpiring, bench.executor.calls.count)]
                .contains(.decode(name))
            let outcome = isDecoded ? "frame 4" : "deadlineExceeded"
            #expect((0..<4).map { bench.outcomes[$0] } == others(outcome), "at call \(moment)")
            #expect(!bench.executor.calls.dropFirst(atExpiring).contains { isAbout($0, bench) })
            #expect(bench.isEmpty())
        }
    }

    /// A call that fails is an error of the frame that it was for, and of no other.
    @Test func aFailureBelongsToItsFrame() throws {
        for moment in 0..<(try callCount()) {
            let bench = try crowd()
            var failed: FakeExecutor.Call?
            bench.executor.interfere = { number, call in
                guard number == moment else { return }
                failed = call
                throw FakeExecutor.Fault()
            }
            bench.run()
            let words = (0..<4).map { bench.outcomes[$0] }
            #expect(words.allSatisfy { $0.count == 1 })
            let failures = words.count { $0 == ["internal"] }
            switch try #require(failed) {
            // A batch that failed as a whole is tried one by one, which works here.
            case .evaluate(let texts) where texts.count > 1: #expect(failures == 0)
            default: #expect(failures == 1)
            }
            #expect(bench.isEmpty())
        }
    }

    /// A solve that spoils its batches is found, and the others go on.
    @Test func oneBadSolveDoesNotSpoilItsNeighbours() throws {
        let bench = try crowd()
        bench.executor.bad = [name]
        bench.run()
        #expect((0..<4).map { bench.outcomes[$0] } == others("internal"))
        #expect(bench.isEmpty())
        bench.executor.bad = []
        try bench.frame()
        bench.run()
        #expect(bench.outcomes[4] == ["frame 2"])
    }

    @Test func stoppingAnswersEverybody() throws {
        for moment in 0..<(try callCount()) {
            let bench = try crowd()
            bench.executor.interfere = { number, _ in
                if number == moment { bench.lane.stop() }
            }
            bench.run()
            bench.worker.releaseAll()
            #expect((0..<4).allSatisfy { bench.outcomes[$0].count == 1 })
            #expect(bench.isEmpty())
            let error = #expect(throws: RequestError.self) { try bench.frame() }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func aFullQueueIsRefusedInWords() throws {
        let bench = LaneBench()
        bench.accounts.limits.total[.queuedFrames] = 2
        bench.accounts.limits.each[.queuedFrames] = 1
        try bench.frame("a")
        let own = #expect(throws: RequestError.self) { try bench.frame("a") }
        #expect(own?.code == .resourceExhausted && own?.quota.first?.subject == "identity:a")
        try bench.frame("b")
        let all = #expect(throws: RequestError.self) { try bench.frame("c") }
        #expect(all?.code == .resourceExhausted && all?.quota.first?.subject == "daemon")
        bench.run()
        #expect(bench.outcomes[0] == ["frame 2"] && bench.outcomes[2] == ["frame 2"])
        #expect(bench.isEmpty())
    }

    @Test func aSupersededFrameSaysByWhich() throws {
        let bench = LaneBench()
        let link = LaneScheduler.Job.Link(stream: 1, maxLag: .zero)
        for sequence in [3, 7, 20] as [UInt64] { try bench.frame(link: link, sequence: sequence) }
        bench.run()
        #expect(
            (0..<3).map { bench.outcomes[$0] }
                == [["superseded by 20"], ["superseded by 20"], ["frame 2"]])
        #expect(bench.isEmpty())
    }

    @Test func aLateFrameIsReducedAndSaysSo() throws {
        let bench = LaneBench()
        try bench.frame(steps: 3)
        bench.run()
        // All is known to cost 10 ms now: 10 (begin) + n · 10 + 10 (decode) after the pose.
        try bench.frame(steps: 20, due: .milliseconds(85), least: 2)
        bench.run()
        let frame = try #require(bench.outcomes.frame(1))
        #expect(frame.used.evaluations == 5 && frame.used.isReduced)
        #expect(frame.timings.total == .milliseconds(80))
        #expect(frame.timings.solve == .milliseconds(60))
        #expect(frame.timings.pose == .milliseconds(10))
        #expect(frame.timings.queue == .zero)
    }

    /// Frames of a stream with warm starts begin at the one before; streams forget when they end.
    @Test func warmStartsBeginAtTheFrameBefore() throws {
        let bench = LaneBench()
        let link = LaneScheduler.Job.Link(stream: 5, isSequential: true)
        for _ in 0..<3 { try bench.frame(link: link, warmStart: 0.5) }
        bench.run()
        #expect((0..<3).map { bench.outcomes.frame($0)?.used.warmStart } == [0, 0.5, 0.5])
        #expect(bench.worker.resultCount == 1)
        bench.lane.close(stream: 5)
        #expect(bench.isEmpty())
        #expect(bench.worker.resultCount == 0)
    }

    @Test func theHeartBeatsWithEveryStep() throws {
        let bench = LaneBench()
        let before = bench.lane.heartbeat
        bench.clock.advance(.seconds(5))
        #expect(bench.worker.step() != nil)
        #expect(before.duration(to: bench.lane.heartbeat) == .seconds(5))
    }
}

extension LaneTests {
    /// An errand waits for jobs, but no longer than a second.
    @Test func errandsWaitUntilThereIsTime() throws {
        let bench = LaneBench()
        let done = Counter()
        bench.lane.later { _ in done.add(1) }
        try bench.frame(steps: 200)
        for _ in 0..<50 { bench.worker.step() }
        #expect(done.value == 0)
        for _ in 0..<60 { bench.worker.step() }
        #expect(done.value == 1)
        #expect(bench.outcomes[0].isEmpty)
        bench.run()
        #expect(bench.outcomes[0] == ["frame 200"])
        bench.lane.later { _ in done.add(1) }
        bench.run()
        #expect(done.value == 2)
    }
}
