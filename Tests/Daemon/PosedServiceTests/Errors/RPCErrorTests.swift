import PosedErrors
import PosedProtos
import PosedRPC
import SwiftProtobuf
import Testing

import PosedService

@Suite struct RPCErrorTests {
    private func status(_ error: RequestError) throws -> Google_Rpc_Status {
        let bytes = try #require(RPCError(error).metadata.statusDetails)
        return try Google_Rpc_Status(serializedBytes: bytes)
    }

    @Test(arguments: RequestError.Code.allCases)
    func codesAreThoseOfTheWire(code: RequestError.Code) {
        let error = RPCError(RequestError(code, "said", cause: Secret()))
        #expect(error.code.rawValue == code.rawValue)
        #expect(error.message == "said")
        #expect(error.metadata.statusDetails == nil, "nothing to add")
        #expect(error.cause is Secret)
    }

    @Test func programsLearnTheField() throws {
        let error = FieldPath("settings").field("nfe").refusal(expected: "more", got: 0)
        let status = try status(error)
        #expect(status.code == 3)
        #expect(status.message == "settings.nfe: expected more, got 0")
        #expect(RPCError(error).message == status.message)
        let request = try Google_Rpc_BadRequest(unpackingAny: try #require(status.details.first))
        #expect(request.fieldViolations.map(\.field) == ["settings.nfe"])
        #expect(request.fieldViolations.map(\.description_p) == ["expected more, got 0"])
    }

    @Test func programsLearnWhenToTryAgainAndWhy() throws {
        let error = RequestError.quota(
            "at most 4 frames wait", of: "identity:token:ada", retryAfter: .milliseconds(1500))
        let details = try status(error).details
        #expect(details.count == 2)
        let retry = try Google_Rpc_RetryInfo(unpackingAny: details[0])
        #expect(retry.retryDelay.seconds == 1 && retry.retryDelay.nanos == 500_000_000)
        let quota = try Google_Rpc_QuotaFailure(unpackingAny: details[1])
        #expect(quota.violations.map(\.subject) == ["identity:token:ada"])
        #expect(quota.violations.map(\.description_p) == ["at most 4 frames wait"])
    }

    /// Trailers must stay below the 8 KiB that clients accept.
    @Test func detailsAreShort() throws {
        let long = String(repeating: "×", count: 100_000)
        let violation = RequestError.QuotaViolation(subject: long, description: long)
        let error = RPCError(
            RequestError(
                .invalidArgument, long, at: FieldPath(long), retryAfter: .seconds(1),
                quota: Array(repeating: violation, count: 50)))
        let details = try #require(error.metadata.statusDetails)
        // Bytes are sent in base64, and a message with three characters for each byte.
        #expect(details.count * 4 / 3 + error.sentMessage.utf8.count * 3 < 10_000)
    }

    @Test func errorsOfFramesHaveTheSameDetails() throws {
        let error = Posed_V1_FrameError(
            RequestError(.invalidArgument, "unknown", at: "pose.settings.solver"))
        #expect(error.code == 3)
        #expect(error.message == "pose.settings.solver: unknown")
        let request = try Google_Rpc_BadRequest(unpackingAny: try #require(error.details.first))
        #expect(request.fieldViolations.map(\.field) == ["pose.settings.solver"])
        // It reads as a google.rpc.Status.
        let status = try Google_Rpc_Status(serializedBytes: try error.serializedBytes() as [UInt8])
        #expect(status.message == error.message && status.details.count == 1)
    }

    private struct Secret: Error {}
}
