import PosedBackend
import PosedErrors
import PosedServing
import Testing

/// What becomes of the engine room when its device is lost.
@Suite struct DeviceLossTests {
    private static let lost = BackendError(.deviceLost, "the device is lost")

    /// The frame is unavailable, and whoever waits for the loss hears of it, before and after.
    @Test func isToldToWhoeverWaits() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        let before = Task { await engine.firstLoss() }
        test.executor.interfere = { _, _ in throw Self.lost }
        let request = FrameRequest(subject: .session(session.name), pose: try TestEngine.pose(0))
        let task = Task { try await engine.synthesize(request, owner: "o") }
        guard case .failure(let error) = await test.result(of: task) else {
            Issue.record("a lost device made a picture")
            return
        }
        #expect((error as? RequestError)?.code == .unavailable)
        #expect(await before.value?.code == .deviceLost)
        #expect(await engine.firstLoss()?.message.contains("the device is lost") == true)
        #expect(test.isEmpty())
    }

    /// Other failures are the frame's own.
    @Test func isNotWhatOtherFailuresMean() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        let engine = test.engine
        let waiting = Task { await engine.firstLoss() }
        test.executor.interfere = { _, _ in throw BackendError(.outOfMemory, "no room") }
        let request = FrameRequest(subject: .session(session.name), pose: try TestEngine.pose(0))
        let task = Task { try await engine.synthesize(request, owner: "o") }
        guard case .failure(let error) = await test.result(of: task) else {
            Issue.record("a full device made a picture")
            return
        }
        #expect((error as? RequestError)?.code == .resourceExhausted)
        waiting.cancel()
        #expect(await waiting.value == nil)
        test.executor.interfere = { _, _ in }
        let again = Task { try await engine.synthesize(request, owner: "o") }
        #expect(try await test.finish(again).used.evaluations > 0)
    }
}

extension ServingEngine {
    /// What was said of the first device that is lost; nil where the task was cancelled before.
    fileprivate func firstLoss() async -> BackendError? {
        for await loss in losses { return loss.error }
        return nil
    }
}
