import PosedBackend
import PosedPipeline
import PosedRPC
import PosedServing
import PosedSessions
import PosedSolvers
import PosedVision
import Testing

import PosedService

@Suite struct DomainErrorTests {
    @Test func everyClassOfErrorHasItsStatus() {
        #expect(Set(DomainError.service.keys) == Set(ServiceError.Code.allCases))
        #expect(Set(DomainError.serving.keys) == Set(ServingError.Code.allCases))
        #expect(Set(DomainError.session.keys) == Set(SessionError.Code.allCases))
        #expect(Set(DomainError.vision.keys) == Set(VisionError.Code.allCases))
        #expect(Set(DomainError.solver.keys) == Set(SolverError.Code.allCases))
        #expect(Set(DomainError.pipeline.keys) == Set(PipelineError.Code.allCases))
        #expect(Set(DomainError.backend.keys) == Set(BackendError.Code.allCases))
    }

    @Test func noErrorIsASuccess() {
        let all =
            Array(DomainError.service.values) + Array(DomainError.serving.values)
            + Array(DomainError.session.values) + Array(DomainError.vision.values)
            + Array(DomainError.solver.values) + Array(DomainError.pipeline.values)
            + Array(DomainError.backend.values)
        #expect(!all.contains(.ok))
        #expect(!all.contains(.unknown))
    }

    @Test(arguments: [
        (ServingError.Code.invalidRequest, StatusCode.invalidArgument),
        (.notFound, .notFound), (.limitReached, .resourceExhausted),
        (.expired, .deadlineExceeded), (.cancelled, .cancelled), (.unavailable, .unavailable),
        (.failed, .internal),
    ])
    func theDomainsErrors(code: ServingError.Code, status: StatusCode) {
        let error = DomainError.rpcError(
            ServingError(code, "said", cause: SolverError(.unreadable, "/etc/secret")))
        #expect(error?.code == status)
        #expect(error?.message == "said")
    }

    @Test func errorsOfRequestsKeepTheirWords() {
        #expect(DomainError.rpcError(VisionError(.damagedPicture, "bad"))?.code == .invalidArgument)
        #expect(DomainError.rpcError(VisionError(.outOfMemory, "bad"))?.code == .resourceExhausted)
        #expect(DomainError.rpcError(SolverError(.unknownSolver, "bad"))?.message == "bad")
        #expect(DomainError.rpcError(SessionError(.conflict, "bad"))?.code == .aborted)
        #expect(DomainError.rpcError(BackendError(.deviceLost, "bad"))?.code == .unavailable)
        #expect(DomainError.rpcError(PipelineError(.invalidRequest, "bad"))?.message == "bad")
        #expect(DomainError.rpcError(ServiceError(.notFound, "bad"))?.code == .notFound)
    }

    @Test func errorsOfTheMachineAreNotTold() {
        struct Strange: Error {}
        #expect(DomainError.rpcError(Strange()) == nil)
        #expect(DomainError.rpcError(CancellationError()) == nil)
        #expect(DomainError.rpcError(VisionError(.unreadableFile, "/etc/secret")) == nil)
        #expect(DomainError.rpcError(SessionError(.damaged, "/var/lib/posed/x")) == nil)
        #expect(DomainError.rpcError(BackendError(.crashed, "libx.so")) == nil)
        #expect(DomainError.rpcError(PipelineError(.invalidModel, "/srv/model")) == nil)
        #expect(DomainError.rpcError(SolverError(.unreadable, "/etc/x")) == nil)
    }

    @Test func statusesOfTheTransportPassThrough() {
        let error = DomainError.rpcError(RPCError(.unauthenticated, "who?"))
        #expect(error?.code == .unauthenticated)
        #expect(error?.message == "who?")
    }
}
