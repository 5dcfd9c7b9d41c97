import PosedBackend
import PosedErrors
import PosedPipeline
import PosedServing
import PosedSolvers
import PosedVision
import Testing

/// What callers are told of errors of the rooms below.
@Suite struct RequestErrorCausesTests {
    @Test func sentencesAboutTheRequestArePassedOn() {
        let cases: [(any Error, RequestError.Code)] = [
            (VisionError(.damagedPicture, "said"), .invalidArgument),
            (VisionError(.emptyPose, "said"), .invalidArgument),
            (SolverError(.unknownSolver, "said"), .invalidArgument),
            (PipelineError(.invalidRequest, "said"), .invalidArgument),
            (PipelineError(.diverged, "said"), .internal),
            (RequestError(.aborted, "said"), .aborted),
        ]
        for (error, code) in cases {
            #expect(RequestError(error).code == code)
            #expect(RequestError(error).message == "said")
        }
    }

    @Test func filesAndDevicesAreNotNamed() {
        struct Strange: Error, CustomStringConvertible { let description = "/srv/secret" }
        let errors: [any Error] = [
            VisionError(.unreadableFile, "/srv/secret"), VisionError(.outOfMemory, "/srv/secret"),
            SolverError(.unreadable, "/srv/secret"), PipelineError(.invalidModel, "/srv/secret"),
            BackendError(.crashed, "/srv/secret"), BackendError(.outOfMemory, "/srv/secret"),
            BackendError(.deviceLost, "/srv/secret"), BackendError(.internal, "/srv/secret"),
            Strange(),
        ]
        for error in errors {
            let told = RequestError(error)
            #expect(!told.description.contains("secret"), "\(error)")
            #expect(!told.quota.contains { $0.description.contains("secret") })
            #expect(told.cause.map { "\($0)" }?.contains("secret") == true, "the log needs it")
        }
    }

    @Test func memoryOfDevicesIsABound() {
        let error = RequestError(BackendError(.outOfMemory, "no room"))
        #expect(error.code == .resourceExhausted)
        #expect(error.quota.map(\.subject) == ["daemon"])
        #expect(error.retryAfter != nil)
        #expect(RequestError(BackendError(.deviceLost, "gone")).code == .unavailable)
    }

    @Test func aFieldIsTakenWhereTheErrorKnowsNone() {
        #expect(RequestError(SolverError(.unknownSolver, "x"), at: "solver").field == "solver")
        #expect(RequestError(VisionError(.emptyPose, "x")).field == "pose")
        #expect(RequestError(VisionError(.emptyPose, "x"), at: "poses[1]").field == "poses[1]")
        let own = RequestError(.invalidArgument, "x", at: "a")
        #expect(RequestError(own, at: "b").field == "a")
    }

    /// A device without room is no defect of the daemon, and says when to try again.
    @Test func aDeviceWithoutRoomRefusesTheFrame() async throws {
        let test = try TestEngine()
        let session = try await test.session()
        test.executor.interfere = { _, _ in
            throw BackendError(.outOfMemory, "cuda:0 has no room for 9 bytes")
        }
        let request = FrameRequest(subject: .session(session.name), pose: try TestEngine.pose(0))
        let engine = test.engine
        let call = Task { try await engine.synthesize(request, owner: "o") }
        let error = await #expect(throws: RequestError.self) { try await test.finish(call) }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message.contains("cuda") == false)
    }
}
