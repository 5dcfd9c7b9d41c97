import PosedErrors
import PosedServing
import PosedVision
import Testing

/// Streams: one answer for each pose, in order, whatever happens.
@Suite(.timeLimit(.minutes(10))) struct LiveStreamTests {
    private func open(
        _ test: TestEngine, reads: Bool = true, _ change: (inout StreamOptions) -> Void = { _ in }
    ) async throws -> OpenStream {
        var options = StreamOptions(session: try await test.session().name)
        options.settings.steps = 1
        options.settings.solver = "euler"
        change(&options)
        let stream = OpenStream(test.engine, options, reads: reads)
        await test.until { stream.settings != nil }
        return stream
    }

    @Test func everyPoseIsAnsweredInOrder() async throws {
        let test = try TestEngine()
        let stream = try await open(test)
        #expect(stream.settings?.solver == "euler" && stream.settings?.evaluations == 1)
        var refused = FrameSettings()
        refused.solver = "magic"
        try stream.submit(1)
        stream.submit(2, try TestEngine.pose(2), refused)
        stream.reject(5, RequestError(.invalidArgument, "unreadable"))
        stream.reject(nil, RequestError(.resourceExhausted, "too large"))
        try stream.submit(6)
        try stream.submit(6)
        try stream.submit(3)
        try stream.submit(7)
        stream.finish()
        #expect(
            try await test.finish(stream.ended) == [
                "1 frame", "2 invalidArgument", "5 invalidArgument", "0 resourceExhausted",
                "6 frame", "6 invalidArgument", "3 invalidArgument", "7 frame",
            ])
        await test.until { test.isEmpty() }
    }

    /// Without superseding, no more poses are asked for than may await that their answers are taken.
    @Test func aFullStreamAsksForNoMorePoses() async throws {
        let test = try TestEngine(window: 2)
        let stream = try await open(test, reads: false)
        for number in 1...6 { try stream.submit(UInt64(number)) }
        stream.finish()
        await test.until { test.engine.statistics.framesCompleted == 3 }
        for _ in 0..<100 {
            test.step()
            await Task.yield()
        }
        // One answer has left and waits to be taken, two are in the window.
        #expect(stream.taken == 3)
        #expect(test.engine.statistics.framesCompleted == 3)
        stream.read()
        #expect(try await test.finish(stream.ended) == (1...6).map { "\($0) frame" })
        await test.until { test.isEmpty() }
    }

    @Test func cancellingAStreamThatIsFullEndsIt() async throws {
        let test = try TestEngine(window: 1)
        let stream = try await open(test, reads: false)
        for number in 1...3 { try stream.submit(UInt64(number)) }
        await test.until { test.engine.statistics.framesCompleted == 2 }
        stream.cancel()
        stream.read()
        #expect(await test.result(of: stream.ended).isFailure)
        await test.until { test.isEmpty() }
    }

    @Test func theLatestPoseWins() async throws {
        let test = try TestEngine()
        let stream = try await open(test) { $0.maxLag = .zero }
        for number in 1...6 { try stream.submit(UInt64(number)) }
        stream.finish()
        await test.waiting { test.engine.statistics.framesQueued > 0 && stream.taken == 6 }
        let words = try await test.finish(stream.ended)
        #expect(words.count == 6)
        #expect(words.last == "6 frame")
        await test.until { test.isEmpty() }
    }

    /// A live stream whose reader stalls makes no frames beyond its window; poses go on superseding each
    /// other, so that what comes next is new.
    @Test func aStalledReaderHoldsALiveStreamBack() async throws {
        let test = try TestEngine(window: 2)
        let stream = try await open(test, reads: false) { $0.maxLag = .zero }
        // The first answer is on its way to the reader; two more fill the window.
        for number in 1...3 {
            try stream.submit(UInt64(number))
            await test.until { test.engine.statistics.framesCompleted == number }
        }
        for number in 4...10 {
            try stream.submit(UInt64(number))
            await test.until { stream.taken == number }
            for _ in 0..<10 {
                test.step()
                await Task.yield()
            }
        }
        #expect(test.engine.statistics.framesCompleted == 3)
        #expect(test.engine.statistics.framesSuperseded == 6)
        stream.finish()
        stream.read()
        let words = try await test.finish(stream.ended)
        #expect(
            words == ["1 frame", "2 frame", "3 frame"]
                + (4...9).map { "\($0) superseded by \($0 + 1)" } + ["10 frame"])
        await test.until { test.isEmpty() }
    }

    /// Frames come as fast as they are taken, whichever thread crosses the window: a reader that is now ahead and
    /// now behind never leaves the stream held.
    @Test func aReaderAtTheWindowNeverStallsTheStream() async throws {
        let test = try TestEngine(window: 1)
        let stream = try await open(test) { $0.maxLag = .zero }
        for number in 1...300 {
            try stream.submit(UInt64(number))
            await test.until { stream.words.count == number }
        }
        stream.finish()
        #expect(try await test.finish(stream.ended).count == 300)
        #expect(stream.words.allSatisfy { $0.hasSuffix("frame") })
        await test.until { test.isEmpty() }
    }

    @Test func cancellingAStreamAtAnyStepLeavesNothing() async throws {
        for moment in 0..<20 {
            let test = try TestEngine(window: 4)
            let stream = try await open(test) { $0.warmStart = moment % 2 == 0 ? 0 : 0.5 }
            for number in 1...3 { try stream.submit(UInt64(number)) }
            await test.waiting { stream.taken == 3 }
            for _ in 0..<moment { test.worker.step() }
            stream.cancel()
            #expect(await test.result(of: stream.ended).isFailure)
            await test.until { test.isEmpty() }
        }
    }

    @Test func whateverThePosesThrowEndsTheStream() async throws {
        struct Broken: Error {}
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        let poses = AsyncThrowingStream<StreamPose, any Error> { continuation in
            continuation.yield(StreamPose(sequence: 1, .success(.init(.picture(Self.dot)))))
            continuation.finish(throwing: Broken())
        }
        let call = Task {
            try await engine.stream(
                StreamOptions(session: session.name), owner: "o", poses: poses, opened: { _ in },
                answer: { _ in })
        }
        guard case .failure(let error) = await test.result(of: call) else {
            Issue.record("a broken stream ended well")
            return
        }
        #expect(error is Broken)
        await test.until { test.isEmpty() }
    }

    private static let dot = {
        guard let image = try? Image(width: 1, height: 1, bytes: [0, 0, 0]) else {
            preconditionFailure("a picture of one pixel")
        }
        return image
    }()

    @Test func posesOfADeletedSessionFail() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let stream = OpenStream(test.engine, .init(session: session.name))
        await test.until { stream.settings != nil }
        try await test.engine.deleteSession(session.name, etag: nil, owner: "o")
        try stream.submit(1)
        stream.finish()
        #expect(try await test.finish(stream.ended) == ["1 notFound"])
        await test.until { test.isEmpty() }
    }

    /// A frame of a session that is deleted meanwhile is made; nothing is remembered of the session.
    @Test func aDeletedSessionIsForgotten() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        #expect(engine.notedSessions == 1)
        let stream = OpenStream(engine, .init(session: session.name))
        await test.until { stream.settings != nil }
        try stream.submit(1)
        await test.waiting { engine.statistics.framesQueued == 1 }
        try await engine.deleteSession(session.name, etag: nil, owner: "o")
        #expect(engine.notedSessions == 0)
        var larger = FrameSettings()
        (larger.width, larger.height) = (16, 16)
        stream.submit(2, try TestEngine.pose(2), larger)
        stream.finish()
        #expect(try await test.finish(stream.ended) == ["1 frame", "2 notFound"])
        await test.until { test.isEmpty() }
        #expect(engine.notedSessions == 0)
    }

    @Test func aStoppedEngineAnswersAStreamsPoses() async throws {
        let test = try TestEngine()
        let stream = try await open(test)
        try stream.submit(1)
        await test.waiting { test.engine.statistics.framesQueued == 1 }
        await test.engine.shutDown()
        try stream.submit(2)
        stream.finish()
        #expect(try await test.finish(stream.ended) == ["1 unavailable", "2 unavailable"])
        await test.until { test.isEmpty() }
    }

    @Test func impossibleStreamsAreRefused() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        for change in [
            { $0.session = "sessions/none" }, { $0.maxLag = .seconds(-1) },
            { $0.warmStart = 1 }, { $0.warmStart = .nan }, { $0.settings.solver = "magic" },
        ] as [(inout StreamOptions) -> Void] {
            var options = StreamOptions(session: session.name)
            change(&options)
            let stream = OpenStream(test.engine, options)
            #expect(await test.result(of: stream.ended).isFailure)
            #expect(stream.settings == nil)
            #expect(test.isEmpty())
        }
    }
}
