import PosedBackend
import PosedErrors
import PosedPipeline
import PosedScheduling
import PosedServing
import PosedTesting
import PosedVision
import Testing

/// Several lanes, each with copies of the models.
@Suite struct LanePoolTests {
    private static let lost = BackendError(.deviceLost, "the device is lost")

    private func request(_ session: SessionDescription, pose: Int) throws -> FrameRequest {
        FrameRequest(subject: .session(session.name), pose: try TestEngine.pose(pose))
    }

    /// Frames of a session are made where its source lies, and sessions are dealt out.
    @Test func sessionsAreDealtOutAndStay() async throws {
        let test = try TestEngine(lanes: 2)
        let engine = test.engine
        for shade in UInt8(1)...4 {
            let session = try await test.session(shade: shade)
            for pose in 0..<3 {
                let request = try request(session, pose: Int(shade) * 8 + pose)
                let frame = try await test.finish(
                    Task { try await engine.synthesize(request, owner: "o") })
                #expect(frame.cache.source)
            }
        }
        for executor in test.executors {
            #expect(executor.calls.count { $0 == .source } == 2)
            #expect(executor.calls.count { $0 == .pose } == 6)
        }
        #expect(test.isEmpty())
    }

    /// A caller with much work gets the lane that has nothing to do, once his own has a full batch more.
    @Test func muchWorkOfOneSessionSpreads() async throws {
        var limits = SchedulerLimits()
        limits.batchRows = 4
        let test = try TestEngine(scheduler: limits, lanes: 2)
        let engine = test.engine
        let session = try await test.session()
        let requests = try (0..<12).map { try request(session, pose: $0) }
        let tasks = requests.map { request in
            Task { try await engine.synthesize(request, owner: "o") }
        }
        await test.waiting {
            engine.leases == 12 && test.lanes.allSatisfy { $0.count > 0 }
        }
        for task in tasks { _ = try await test.finish(task) }
        let made = test.executors.map { executor in
            executor.calls.count { if case .decode = $0 { true } else { false } }
        }
        #expect(made.reduce(0, +) == 12)
        #expect(made.allSatisfy { $0 >= 3 }, "\(made)")
        #expect(test.executors.allSatisfy { $0.calls.count { $0 == .source } == 1 })
        #expect(test.isEmpty())
    }

    /// Cancelling reaches the lane that has the frame.
    @Test func cancellingFindsTheLane() async throws {
        let test = try TestEngine(lanes: 2)
        let engine = test.engine
        let sessions = [
            try await test.session(shade: 1), try await test.session(shade: 2),
        ]
        let requests = try sessions.map { try request($0, pose: 0) }
        let tasks = requests.map { request in
            Task { try await engine.synthesize(request, owner: "o") }
        }
        await test.waiting { test.lanes.allSatisfy { $0.count == 1 } }
        tasks[1].cancel()
        #expect(await test.result(of: tasks[1]).isFailure)
        _ = try await test.finish(tasks[0])
        #expect(test.isEmpty())
    }

    /// When a device is lost, what was on its lane is unavailable; sessions and streams go on elsewhere.
    @Test func theOthersGoOnWhenADeviceIsLost() async throws {
        let test = try TestEngine(lanes: 2)
        let engine = test.engine
        let session = try await test.session()
        let home = test.executors[0].calls.isEmpty ? 1 : 0
        let stream = OpenStream(engine, StreamOptions(session: session.name))
        await test.until { stream.settings != nil }
        test.executors[home].interfere = { _, _ in throw Self.lost }
        let losses = Task {
            var found: [LaneLoss] = []
            for await loss in engine.losses {
                found.append(loss)
                if loss.lanesLeft == 1 { break }
            }
            return found
        }
        let first = try request(session, pose: 0)
        let task = Task { try await engine.synthesize(first, owner: "o") }
        guard case .failure(let error) = await test.result(of: task) else {
            Issue.record("a lost device made a picture")
            return
        }
        #expect((error as? RequestError)?.code == .unavailable)
        let found = await losses.value
        #expect(found.map(\.lane) == [home])
        let second = try request(session, pose: 1)
        let frame = try await test.finish(
            Task { try await engine.synthesize(second, owner: "o") })
        #expect(frame.used.evaluations == 15)
        try stream.submit(1)
        stream.finish()
        #expect(try await test.finish(stream.ended) == ["1 frame"])
        await test.until { test.isEmpty() }
    }

    /// Two copies of a real model make the same bits, and each has its share of the processors.
    @Test func copiesMakeTheSamePictures() async throws {
        let copies = try (0..<2).map { _ in try TinyEngine.load("blas") }
        var configuration = ServingConfiguration(models: [
            .init(name: "tiny", copies[0], copies[1], fingerprint: "tiny")
        ])
        configuration.backends = BackendRegistry(entries: [])
        configuration.warmsUp = false
        let engine = try await ServingEngine.load(configuration)
        #expect(engine.models[0].parts.count == 8)
        let picture = try TinyEngine.picture()
        var images: [Image] = []
        for number in 0..<2 {
            var new = NewSession(sources: [picture])
            new.displayName = "\(number)"
            new.defaults = TinyEngine.settings()
            let session = try await engine.createSession(new, owner: "o")
            let request = FrameRequest(
                subject: .session(session.name), pose: try TinyEngine.pose())
            let frame = try await engine.synthesize(request, owner: "o")
            // The second session lies on the other lane, where nothing is kept yet.
            #expect(!frame.cache.pose)
            images.append(frame.image)
        }
        #expect(images[0].bytes == images[1].bytes)
        #expect(engine.statistics.sourceCache.entries == 2)
        await engine.shutDown()
    }

    /// Copies that would not make the same pictures are refused.
    @Test(.enabled(if: UsableDevices.names.contains("example")))
    func copiesOfAnotherKindAreRefused() async throws {
        let model = try TinyEngine.load("blas")
        var configuration = ServingConfiguration(models: [
            .init(name: "tiny", model, try TinyEngine.load("example"), fingerprint: "tiny")
        ])
        configuration.backends = BackendRegistry(entries: [])
        configuration.warmsUp = false
        let refusal = await #expect(throws: PipelineError.self) {
            try await ServingEngine.load(configuration)
        }
        #expect(refusal?.code == .invalidModel)
        #expect(refusal?.message.contains("copies on devices of the same kind") == true)
        configuration.models = [
            .init(name: "a", model, fingerprint: "tiny"),
            .init(name: "b", model, model, fingerprint: "tiny"),
        ]
        await #expect(throws: PipelineError.self) { try await ServingEngine.load(configuration) }
    }
}
