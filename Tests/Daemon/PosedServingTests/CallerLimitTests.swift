import PosedAccounts
import PosedErrors
import PosedScheduling
import PosedServing
import PosedVision
import Testing

/// What one caller may hold of the engine, and that it takes nothing of the others' share.
@Suite(.timeLimit(.minutes(10))) struct CallerLimitTests {
    private func limits(_ change: (inout AccountLimits) -> Void) -> ServingLimits {
        var limits = ServingLimits()
        change(&limits.accounts)
        return limits
    }

    private func request(_ session: SessionDescription, pose: Int = 0) throws -> FrameRequest {
        FrameRequest(subject: .session(session.name), pose: try TestEngine.pose(pose))
    }

    @Test func streamsOfACallerAreBounded() async throws {
        let test = try TestEngine(limits: limits { $0.each[.streams] = 1 })
        let (alice, bob) = (try await test.session("alice"), try await test.session("bob"))
        let first = OpenStream(test.engine, .init(session: alice.name), owner: "alice")
        await test.until { first.settings != nil }
        let second = OpenStream(test.engine, .init(session: alice.name), owner: "alice")
        guard case .failure(let error) = await test.result(of: second.ended) else {
            Issue.record("a second stream was opened")
            return
        }
        #expect((error as? RequestError)?.code == .resourceExhausted)
        let other = OpenStream(test.engine, .init(session: bob.name), owner: "bob")
        await test.until { other.settings != nil }
        for stream in [first, other] { stream.finish() }
        _ = try await test.finish(first.ended)
        _ = try await test.finish(other.ended)
        #expect(test.engine.accounts.total[.streams] == 0)
    }

    /// An open stream keeps its encoded source in use. One caller's streams use up the caller's own share.
    @Test func idleStreamsLeaveRoomForTheSourcesOfOthers() async throws {
        let size = FakeExecutor.sourceBytes
        let test = try TestEngine(
            limits: limits {
                $0.total[.conditioningBytes] = 8 * size
                $0.each[.conditioningBytes] = 2 * size
            })
        var streams: [OpenStream] = []
        var refused = 0
        for shade in 1...4 {
            let session = try? await test.session("alice", shade: UInt8(shade))
            guard let session else {
                refused += 1
                continue
            }
            let stream = OpenStream(test.engine, .init(session: session.name), owner: "alice")
            await test.until { stream.settings != nil }
            streams.append(stream)
        }
        #expect(streams.count == 2 && refused == 2)
        #expect(test.engine.accounts.used(by: .identity("alice"))[.conditioningBytes] == 2 * size)
        let bob = try await test.session("bob", shade: 9)
        #expect(bob.sourceCount == 1)
        for stream in streams {
            stream.finish()
            _ = try await test.finish(stream.ended)
        }
        #expect(test.engine.accounts.total[.conditioningBytes] == 0)
    }

    @Test func framesOfACallerAreBounded() async throws {
        let test = try TestEngine(limits: limits { $0.each[.queuedFrames] = 2 })
        let (alice, bob) = (try await test.session("alice"), try await test.session("bob"))
        let engine = test.engine
        let requests = try (0..<2).map { try request(alice, pose: $0) }
        let tasks = requests.map { request in
            Task { try await engine.synthesize(request, owner: "alice") }
        }
        await test.waiting { engine.statistics.framesQueued == 2 }
        let more = try request(alice, pose: 2)
        await #expect {
            try await engine.synthesize(more, owner: "alice")
        } throws: { ($0 as? RequestError)?.code == .resourceExhausted }
        let other = try request(bob)
        _ = try await test.finish(Task { try await engine.synthesize(other, owner: "bob") })
        for task in tasks { _ = try await test.finish(task) }
        #expect(engine.accounts.total[.queuedFrames] == 0)
        #expect(engine.accounts.total[.deviceTime] == 0)
    }

    /// A live stream at the bound gives up its oldest pose for its newest instead of being refused.
    @Test func aLiveStreamAtTheBoundSupersedes() async throws {
        let test = try TestEngine(limits: limits { $0.each[.queuedFrames] = 1 }, window: 4)
        var options = StreamOptions(session: try await test.session().name)
        options.maxLag = .seconds(3600)
        let stream = OpenStream(test.engine, options)
        await test.until { stream.settings != nil }
        for number in 1...3 { try stream.submit(UInt64(number)) }
        stream.finish()
        await test.waiting { stream.taken == 3 && test.engine.statistics.framesSuperseded == 2 }
        #expect(
            try await test.finish(stream.ended)
                == ["1 superseded by 2", "2 superseded by 3", "3 frame"])
        #expect(test.engine.accounts.total[.queuedFrames] == 0)
    }

    /// Nobody learns from a reply that somebody else used the same picture or pose.
    @Test func cachesAreEachCallersOwn() async throws {
        let test = try TestEngine()
        let engine = test.engine
        var cached: [[Bool]] = []
        for owner in ["alice", "bob", "bob"] {
            let request = FrameRequest(
                subject: .pictures([try TestEngine.picture(7)], model: nil),
                pose: try TestEngine.pose(3))
            let frame = try await test.finish(
                Task { try await engine.synthesize(request, owner: owner) })
            cached.append([frame.cache.source, frame.cache.pose])
        }
        #expect(cached == [[false, false], [false, false], [true, true]])
    }

    @Test func sessionsAreShownByTheAccounts() async throws {
        let test = try TestEngine()
        let session = try await test.session("alice")
        let used = test.engine.accounts.used(by: .identity("alice"))
        #expect(used[.sessions] == 1)
        #expect(used[.sessionBytes] == 6)
        try await test.engine.deleteSession(session.name, etag: nil, owner: "alice")
        #expect(test.engine.accounts.all.isEmpty)
    }

    /// A frame far above the model's own size is refused before anything is encoded for it.
    @Test func framesThatWouldBlockTheDeviceAreRefused() async throws {
        var limits = ServingLimits()
        limits.stepTime = .seconds(1)
        limits.frameTime = .milliseconds(1500)
        let test = try TestEngine(limits: limits)
        let session = try await test.session()
        let engine = test.engine
        let first = try request(session)
        _ = try await test.finish(Task { try await engine.synthesize(first, owner: "o") })
        let calls = test.executor.calls.count
        var large = try request(session)
        (large.settings.width, large.settings.height) = (64, 64)
        let tooLarge = large
        let error = await #expect(throws: RequestError.self) {
            try await engine.synthesize(tooLarge, owner: "o")
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.field == "settings.width")
        var long = try request(session)
        (long.settings.solver, long.settings.steps) = ("euler", 200)
        let tooLong = long
        let second = await #expect(throws: RequestError.self) {
            try await engine.synthesize(tooLong, owner: "o")
        }
        #expect(second?.field == "settings.nfe")
        #expect(test.executor.calls.count == calls)
        let small = try request(session)
        _ = try await test.finish(Task { try await engine.synthesize(small, owner: "o") })
        #expect(test.isEmpty())
    }

    @Test func framesAreCountedWithTheirSession() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        let request = try request(session)
        for _ in 0..<3 {
            _ = try await test.finish(Task { try await engine.synthesize(request, owner: "o") })
        }
        let described = try await engine.session(session.name, owner: "o")
        #expect(described.frameCount == 3)
        #expect(described.conditioningBytes == session.conditioningBytes)
        #expect(described.conditioningBytes == FakeExecutor.sourceBytes)
    }

    @Test func statisticsTellACallerOfItself() async throws {
        let test = try TestEngine()
        let (alice, _) = (try await test.session("alice"), try await test.session("bob"))
        let engine = test.engine
        let request = try request(alice)
        for _ in 0..<2 {
            _ = try await test.finish(
                Task { try await engine.synthesize(request, owner: "alice") })
        }
        #expect(engine.statistics(of: "alice").framesCompleted == 2)
        #expect(engine.statistics(of: "alice").sessions == 1)
        #expect(engine.statistics(of: "bob").framesCompleted == 0)
        #expect(engine.statistics(of: "bob").sessions == 1)
        #expect(engine.statistics(of: "carol").sessions == 0)
        #expect(engine.statistics.framesCompleted == 2)
        #expect(engine.statistics.sessions == 2)
    }
}
