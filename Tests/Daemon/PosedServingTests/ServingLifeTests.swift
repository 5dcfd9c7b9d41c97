import PosedAccounts
import PosedErrors
import PosedScheduling
import PosedServing
import PosedVision
import Testing

/// Cancelling, deadlines, draining and limits of the whole engine room, without a device.
@Suite struct ServingLifeTests {
    private func request(
        _ session: SessionDescription, pose: Int = 0,
        deadline: ContinuousClock.Instant? = nil
    ) throws -> FrameRequest {
        FrameRequest(
            subject: .session(session.name), pose: try TestEngine.pose(pose), deadline: deadline)
    }

    /// Cancelled after any number of steps, a cold request leaves nothing behind.
    @Test func cancellingACallAtAnyStepLeavesNothing() async throws {
        for moment in 0..<24 {
            let test = try TestEngine()
            let engine = test.engine
            let request = FrameRequest(
                subject: .pictures([try TestEngine.picture()], model: nil),
                pose: try TestEngine.pose(0))
            let task = Task { try await engine.synthesize(request, owner: "o") }
            // Steps that do something; between them the call goes on.
            while test.executor.calls.count < moment, test.engine.statistics.framesCompleted == 0 {
                test.worker.step()
                await Task.yield()
            }
            task.cancel()
            let result = await test.result(of: task)
            if case .failure(let error) = result {
                #expect((error as? RequestError)?.code == .cancelled)
            }
            await test.until { test.isEmpty() }
            // The same request works afterwards.
            let again = Task { try await engine.synthesize(request, owner: "o") }
            #expect(try await test.finish(again).used.evaluations == 15)
        }
    }

    /// One that shares another's encoding of the source goes on when the other is cancelled.
    @Test func aSharedSourceOutlivesACancelledCall() async throws {
        let test = try TestEngine()
        let engine = test.engine
        let request = FrameRequest(
            subject: .pictures([try TestEngine.picture()], model: nil),
            pose: try TestEngine.pose(0))
        let first = Task { try await engine.synthesize(request, owner: "a") }
        await test.waiting { engine.statistics.framesQueued == 1 }
        let second = Task { try await engine.synthesize(request, owner: "a") }
        await test.waiting { engine.sourceWaits == 1 }
        first.cancel()
        #expect((await test.result(of: first)).isFailure)
        _ = try await test.finish(second)
        #expect(test.executor.calls.count { $0 == .source } == 1)
        #expect(test.isEmpty())
    }

    @Test func aDeadlineEndsACall() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        // The source is there; the lane's clock decides.
        let late = try request(session, deadline: test.clock.now + .milliseconds(60))
        let task = Task { try await engine.synthesize(late, owner: "o") }
        let result = await test.result(of: task)
        guard case .failure(let error) = result else {
            Issue.record("a frame of 180 ms came within 60")
            return
        }
        #expect((error as? RequestError)?.code == .deadlineExceeded)
        #expect(test.isEmpty())
        let past = try request(session, deadline: test.clock.now - .seconds(1))
        await #expect { try await engine.synthesize(past, owner: "o") } throws: {
            ($0 as? RequestError)?.code == .deadlineExceeded
        }
    }

    @Test func whoeverWaitsWhenTheEngineStopsIsTold() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        let request = try request(session)
        let accepted = Task { try await engine.synthesize(request, owner: "o") }
        await test.waiting { engine.statistics.framesQueued == 1 }
        await engine.shutDown()
        await #expect { try await accepted.value } throws: {
            ($0 as? RequestError)?.code == .unavailable
        }
        await #expect { try await engine.synthesize(request, owner: "o") } throws: {
            ($0 as? RequestError)?.code == .unavailable
        }
        #expect(test.isEmpty())
    }

    @Test func limitsChangeWhileItRuns() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        var limits = test.engine.limits
        limits.maxEvaluations = 4
        limits.accounts.each[.queuedFrames] = 1
        limits.stepTime = .seconds(3)
        try test.engine.adopt(limits)
        #expect(test.lane.limits.stepTime == .seconds(3))
        #expect(test.engine.accounts.limits.each[.queuedFrames] == 1)
        let engine = test.engine
        let request = try request(session)
        await #expect { try await engine.synthesize(request, owner: "o") } throws: {
            ($0 as? RequestError)?.code == .invalidArgument
        }
        limits.defaultTimeToLive = .zero
        #expect(throws: RequestError.self) { try engine.adopt(limits) }
        #expect(engine.limits.accounts.each[.queuedFrames] == 1)
        #expect(engine.limits.defaultTimeToLive != .zero)
    }

    /// A session that is deleted while its source is encoded anew leaves nothing to be remembered.
    @Test func aSessionDeletedMeanwhileIsForgotten() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        var request = try request(session)
        (request.settings.width, request.settings.height) = (16, 16)
        let other = request
        let task = Task { try await engine.synthesize(other, owner: "o") }
        await test.waiting { engine.statistics.framesQueued == 1 }
        #expect(engine.notedSessions == 1)
        try await engine.deleteSession(session.name, etag: nil, owner: "o")
        #expect(try await test.finish(task).image.width == 16)
        await test.until { test.isEmpty() }
        #expect(engine.notedSessions == 0)
    }

    @Test func aFailedSourceIsTriedAgain() async throws {
        let test = try TestEngine()
        test.executor.interfere = { number, _ in if number == 0 { throw FakeExecutor.Fault() } }
        await #expect { try await test.session() } throws: {
            ($0 as? RequestError)?.code == .internal
        }
        #expect(try await test.session().sourceCount == 1)
        #expect(test.isEmpty())
    }
}

extension TestEngine {
    /// What a task comes to.
    func result<Value: Sendable>(of task: Task<Value, any Error>) async -> Result<Value, any Error>
    {
        do {
            return .success(try await finish(task))
        } catch {
            return .failure(error)
        }
    }
}

extension Result {
    /// Whether it is an error.
    var isFailure: Bool { if case .failure = self { true } else { false } }
}
