import Foundation
import PosedErrors
import PosedScheduling
import PosedServing
import Testing

/// What the machine is asked to do for a request, stage by stage, and that it stops with the stage, or the
/// one evaluation, in which nobody wants the picture any more.
@Suite struct StageTests {
    private typealias Call = FakeExecutor.Call

    private static let evaluations = 3

    private func request(
        _ subject: FrameRequest.Subject, pose: Int = 0, deadline: ContinuousClock.Instant? = nil
    ) throws -> FrameRequest {
        var settings = FrameSettings()
        settings.solver = "euler"
        settings.steps = Self.evaluations
        return FrameRequest(
            subject: subject, pose: try TestEngine.pose(pose), settings: settings,
            deadline: deadline)
    }

    private func cold(_ deadline: ContinuousClock.Instant? = nil) throws -> FrameRequest {
        try request(.pictures([try TestEngine.picture()], model: nil), deadline: deadline)
    }

    /// What a cold request has the machine do.
    private static let coldCalls: [Call] =
        [.source, .pose] + solve("1/p0")

    private static func solve(_ name: String) -> [Call] {
        [.begin(name)] + Array(repeating: .evaluate([name]), count: evaluations)
            + [.decode(name), .end(name)]
    }

    /// In a session all of the source's work is skipped, and for a pose seen before all of the pose's.
    @Test func whatIsKnownIsNotComputedAgain() async throws {
        let test = try TestEngine()
        let engine = test.engine
        let first = try cold()
        _ = try await test.finish(Task { try await engine.synthesize(first, owner: "o") })
        #expect(test.executor.calls == Self.coldCalls)
        let session = try await test.session()
        for (pose, calls) in [(7, [.pose] + Self.solve("1/p7")), (7, Self.solve("1/p7"))] {
            let before = test.executor.calls.count
            let next = try request(.session(session.name), pose: pose)
            let frame = try await test.finish(
                Task { try await engine.synthesize(next, owner: "o") })
            #expect(Array(test.executor.calls[before...]) == calls)
            #expect(frame.timings.source == .zero)
            #expect((frame.timings.pose == .zero) == (calls == Self.solve("1/p7")))
        }
    }

    @Test func cancellingInAnyStageEndsTheWorkWithIt() async throws {
        for (moment, stage) in Self.coldCalls.dropLast().enumerated() {
            let test = try TestEngine()
            let engine = test.engine
            let request = try cold()
            let task = Task { try await engine.synthesize(request, owner: "o") }
            test.executor.interfere = { number, _ in if number == moment { task.cancel() } }
            let result = await test.result(of: task)
            await test.until { test.isEmpty() }
            #expect((result.failure as? RequestError)?.code == .cancelled, "in \(stage)")
            #expect(begun(test) == Array(Self.coldCalls[...moment]))
        }
    }

    @Test func aDeadlineInAnyStageEndsTheWorkWithIt() async throws {
        // The source's deadline is told by the system's clock: below.
        for (moment, stage) in Self.coldCalls.dropLast(2).enumerated().dropFirst() {
            let test = try TestEngine()
            let engine = test.engine
            let request = try cold(test.clock.now + .seconds(3600))
            let task = Task { try await engine.synthesize(request, owner: "o") }
            test.executor.interfere = { number, _ in
                if number == moment { test.clock.advance(.seconds(7200)) }
            }
            let result = await test.result(of: task)
            await test.until { test.isEmpty() }
            #expect((result.failure as? RequestError)?.code == .deadlineExceeded, "in \(stage)")
            #expect(begun(test) == Array(Self.coldCalls[...moment]))
        }
    }

    @Test func aDeadlineWhileASourceIsEncodedEndsTheWorkWithIt() async throws {
        let test = try TestEngine()
        let engine = test.engine
        let (answered, isDone) = (DispatchSemaphore(value: 0), Flag())
        test.executor.interfere = { _, _ in answered.wait() }
        let request = try cold(test.clock.now + .milliseconds(200))
        let task = Task {
            defer {
                isDone.set()
                answered.signal()
            }
            return try await engine.synthesize(request, owner: "o")
        }
        await test.waiting { engine.statistics.framesQueued == 1 || isDone.isSet }
        nonisolated(unsafe) let worker = test.worker
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                worker.step()
                continuation.resume()
            }
        }
        let result = await test.result(of: task)
        await test.until { test.isEmpty() }
        #expect((result.failure as? RequestError)?.code == .deadlineExceeded)
        #expect([[], [.source]].contains(test.executor.calls))
    }

    @Test func whoeverWaitsInTheQueueCostsNothing() async throws {
        for isCancelled in [true, false] {
            let test = try TestEngine()
            let engine = test.engine
            let session = try await test.session()
            let before = test.executor.calls
            let request = try request(
                .session(session.name), deadline: test.clock.now + .seconds(3600))
            let task = Task { try await engine.synthesize(request, owner: "o") }
            await test.waiting { engine.statistics.framesQueued == 1 }
            if isCancelled { task.cancel() } else { test.clock.advance(.seconds(7200)) }
            let result = await test.result(of: task)
            await test.until { test.isEmpty() }
            #expect(
                (result.failure as? RequestError)?.code
                    == (isCancelled ? .cancelled : .deadlineExceeded))
            #expect(test.executor.calls == before)
        }
    }

    /// What was begun; solves that were begun were ended.
    private func begun(_ test: TestEngine) -> [Call] {
        test.executor.calls.filter { if case .end = $0 { false } else { true } }
    }
}

extension Result {
    /// The error that it is.
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
