import PosedErrors
import PosedServing
import PosedVision
import Testing

/// Streams: one answer for each pose, in order, whatever happens.
@Suite struct LiveStreamTests {
    private func open(
        _ test: TestEngine, _ change: (inout StreamOptions) -> Void = { _ in }
    ) async throws -> any FrameStream {
        var options = StreamOptions(session: try await test.session().name)
        options.settings.steps = 1
        options.settings.solver = "euler"
        change(&options)
        let (engine, chosen) = (test.engine, options)
        return try await test.finish(Task { try await engine.openStream(chosen, owner: "o") })
    }

    /// Events as words: `1 frame`, `2 superseded by 3`, `4 invalidArgument`.
    private func word(_ event: StreamEvent) -> String {
        switch event.outcome {
        case .frame: "\(event.sequence) frame"
        case .superseded(let by, _): "\(event.sequence) superseded by \(by)"
        case .failed(let error): "\(event.sequence) \(error.code)"
        }
    }

    private func read(_ stream: any FrameStream) -> Task<[String], any Error> {
        Task {
            var words: [String] = []
            for await event in stream.events { words.append(word(event)) }
            return words
        }
    }

    @Test func everyPoseIsAnsweredInOrder() async throws {
        let test = try TestEngine()
        let stream = try await open(test)
        #expect(stream.settings.solver == "euler" && stream.settings.evaluations == 1)
        let poses = try (0..<4).map { try TestEngine.pose($0) }
        var bad = FrameSettings()
        bad.solver = "magic"
        let refused = bad
        let writer = Task { () async throws -> Void in
            await stream.submit(StreamPose(sequence: 1, pose: poses[0]))
            await stream.submit(StreamPose(sequence: 2, pose: poses[1], settings: refused))
            await stream.reject(sequence: 5, RequestError(.invalidArgument, "unreadable"))
            await stream.submit(StreamPose(sequence: 6, pose: poses[2]))
            await stream.submit(StreamPose(sequence: 6, pose: poses[3]))
            await stream.submit(StreamPose(sequence: 7, pose: poses[3]))
            stream.finish()
            await stream.submit(StreamPose(sequence: 8, pose: poses[3]))
        }
        let reader = read(stream)
        try await test.finish(writer)
        #expect(
            try await test.finish(reader) == [
                "1 frame", "2 invalidArgument", "5 invalidArgument", "6 frame", "6 invalidArgument",
                "7 frame",
            ])
        await test.until { test.isEmpty() }
    }

    /// Without superseding a full stream makes its writer wait until answers are read.
    @Test func aFullStreamMakesItsWriterWait() async throws {
        let test = try TestEngine(window: 2)
        let stream = try await open(test)
        let written = Counter()
        let poses = try (0..<5).map { try TestEngine.pose($0) }
        let writer = Task { () async throws -> Void in
            for (index, pose) in poses.enumerated() {
                await stream.submit(StreamPose(sequence: UInt64(index + 1), pose: pose))
                written.add(1)
            }
            stream.finish()
        }
        // The second frame may be done before its writer is back.
        await test.until {
            test.engine.statistics.framesCompleted == 2 && written.value >= 2
        }
        for _ in 0..<100 { await Task.yield() }
        #expect(written.value == 2)
        #expect(test.engine.statistics.framesQueued == 0)
        let reader = read(stream)
        try await test.finish(writer)
        #expect(try await test.finish(reader) == (1...5).map { "\($0) frame" })
        await test.until { test.isEmpty() }
    }

    /// A writer that is stopped while it waits does not wait for ever.
    @Test func cancellingAWriterThatWaitsEndsTheStream() async throws {
        let test = try TestEngine(window: 1)
        let stream = try await open(test)
        let pose = try TestEngine.pose(1)
        await stream.submit(StreamPose(sequence: 1, pose: pose))
        let writer = Task { () async throws -> Void in
            await stream.submit(StreamPose(sequence: 2, pose: pose))
        }
        await test.until { test.engine.statistics.framesCompleted == 1 }
        writer.cancel()
        try await test.finish(writer)
        #expect(try await test.finish(read(stream)).isEmpty)
        await test.until { test.isEmpty() }
    }

    @Test func theLatestPoseWins() async throws {
        let test = try TestEngine()
        let stream = try await open(test) { $0.maxLag = .zero }
        for number in 1...6 {
            await stream.submit(
                StreamPose(sequence: UInt64(number), pose: try TestEngine.pose(number)))
        }
        stream.finish()
        let words = try await test.finish(read(stream))
        #expect(words == (1...5).map { "\($0) superseded by 6" } + ["6 frame"])
        #expect(test.engine.statistics.framesSuperseded == 5)
        await test.until { test.isEmpty() }
    }

    /// A live stream whose reader stalls makes no frames beyond its window; poses go on superseding each
    /// other, so that what comes next is new.
    @Test func aStalledReaderHoldsALiveStreamBack() async throws {
        let test = try TestEngine(window: 2)
        let stream = try await open(test) { $0.maxLag = .zero }
        for number in 1...2 {
            await stream.submit(
                StreamPose(sequence: UInt64(number), pose: try TestEngine.pose(number)))
            await test.until { test.engine.statistics.framesCompleted == number }
        }
        for number in 3...9 {
            await stream.submit(
                StreamPose(sequence: UInt64(number), pose: try TestEngine.pose(number)))
            test.worker.step()
        }
        #expect(test.engine.statistics.framesCompleted == 2)
        #expect(test.engine.statistics.framesSuperseded == 6)
        stream.finish()
        let words = try await test.finish(read(stream))
        #expect(
            words == ["1 frame", "2 frame"] + (3...8).map { "\($0) superseded by \($0 + 1)" }
                + ["9 frame"])
        await test.until { test.isEmpty() }
    }

    @Test func cancellingAStreamAtAnyStepLeavesNothing() async throws {
        for moment in 0..<20 {
            let test = try TestEngine(window: 4)
            let stream = try await open(test) { $0.warmStart = moment % 2 == 0 ? 0 : 0.5 }
            for number in 1...3 {
                await stream.submit(
                    StreamPose(sequence: UInt64(number), pose: try TestEngine.pose(number)))
            }
            for _ in 0..<moment { test.worker.step() }
            stream.cancel()
            stream.cancel()
            #expect(try await test.finish(read(stream)).isEmpty)
            #expect(test.isEmpty())
            await stream.submit(StreamPose(sequence: 9, pose: try TestEngine.pose(9)))
            #expect(test.isEmpty())
        }
    }

    /// Whoever stops reading ends the stream.
    @Test func aReaderThatLeavesEndsTheStream() async throws {
        let test = try TestEngine()
        let stream = try await open(test)
        let reader = read(stream)
        await stream.submit(StreamPose(sequence: 1, pose: try TestEngine.pose(1)))
        reader.cancel()
        _ = try await test.finish(reader)
        await test.until { test.isEmpty() }
    }

    @Test func aStreamThatIsDroppedEnds() async throws {
        let test = try TestEngine()
        do {
            let stream = try await open(test)
            #expect(stream.settings.model == "models/fake")
            #expect(test.engine.statistics.openStreams == 1)
        }
        await test.until { test.isEmpty() }
    }

    @Test func posesOfADeletedSessionFail() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        let stream = try await test.finish(
            Task { try await engine.openStream(.init(session: session.name), owner: "o") })
        try await engine.deleteSession(session.name, owner: "o")
        await stream.submit(StreamPose(sequence: 1, pose: try TestEngine.pose(1)))
        stream.finish()
        #expect(try await test.finish(read(stream)) == ["1 notFound"])
        await test.until { test.isEmpty() }
    }

    /// A frame of a session that is deleted meanwhile is made; nothing is remembered of the session.
    @Test func aDeletedSessionIsForgotten() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        #expect(engine.notedSessions == 1)
        let stream = try await test.finish(
            Task { try await engine.openStream(.init(session: session.name), owner: "o") })
        await stream.submit(StreamPose(sequence: 1, pose: try TestEngine.pose(1)))
        try await engine.deleteSession(session.name, owner: "o")
        #expect(engine.notedSessions == 0)
        var larger = FrameSettings()
        (larger.width, larger.height) = (16, 16)
        await stream.submit(
            StreamPose(sequence: 2, pose: try TestEngine.pose(2), settings: larger))
        stream.finish()
        #expect(try await test.finish(read(stream)) == ["1 frame", "2 notFound"])
        await test.until { test.isEmpty() }
        #expect(engine.notedSessions == 0)
    }

    @Test func aDrainingEngineFinishesAStreamsPoses() async throws {
        let test = try TestEngine()
        let stream = try await open(test)
        await stream.submit(StreamPose(sequence: 1, pose: try TestEngine.pose(1)))
        let engine = test.engine
        let drain = Task { () async throws -> Bool in
            await engine.drain(until: .now + .seconds(3600))
        }
        await test.waiting { engine.isDraining }
        await stream.submit(StreamPose(sequence: 2, pose: try TestEngine.pose(2)))
        stream.finish()
        #expect(try await test.finish(drain))
        #expect(try await test.finish(read(stream)) == ["1 frame", "2 unavailable"])
        await test.until { test.isEmpty() }
    }

    @Test func impossibleStreamsAreRefused() async throws {
        let test = try TestEngine()
        for change in [
            { $0.session = "sessions/none" }, { $0.maxLag = .seconds(-1) },
            { $0.warmStart = 1 }, { $0.warmStart = .nan }, { $0.settings.solver = "magic" },
        ] as [(inout StreamOptions) -> Void] {
            await #expect(throws: RequestError.self) { try await open(test, change) }
            #expect(test.isEmpty())
        }
    }
}
