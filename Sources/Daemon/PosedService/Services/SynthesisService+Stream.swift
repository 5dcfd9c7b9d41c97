import PosedErrors
package import PosedProtos
package import PosedRPC
import PosedServing
import SwiftProtobuf

extension SynthesisService {
    /// The client's next message; nil when it has sent its last. A message that cannot be read throws an
    /// `RPCError` `invalidArgument`, and the next one can be asked for.
    package typealias Receive =
        @Sendable () async throws -> Received<Posed_V1_StreamSynthesizeRequest>?

    /// Sends a message, and returns when the client's window has let it pass.
    package typealias Send = @Sendable (Posed_V1_StreamSynthesizeResponse) async throws -> Void

    /// What a pose of a stream calls the engine's fields.
    static let poseNames: KeyValuePairs<FieldPath, FieldPath> = [
        "pose": "pose.pose", "settings": "pose.settings", "sequence": "pose.sequence",
    ]

    /// Makes pictures, pose after pose.
    ///
    /// The first message is `start`. What is wrong with a pose is the answer to that pose; a missing or a
    /// second `start` ends the call.
    package func stream(
        _ caller: Caller, receive: @escaping Receive, send: @escaping Send
    ) async throws {
        let limits = serving.limits
        guard case .start(let start)? = try await receive()?.message.step else {
            throw RequestError(
                .invalidArgument, "expected as the first message of a stream, got another",
                at: "start")
        }
        let options = try start.options(limits: limits)
        let poses = StreamPoses(
            limits: limits, codec: codec, caller: caller, drain: drain, receive: receive)
        try await RequestError.renaming(Posed_V1_StreamStart.names) {
            try await serving.stream(
                options, owner: caller.owner, poses: poses,
                opened: { try await send(Self.started($0, options.settings.format)) },
                answer: { try await send(try await response($0, caller)) })
        }
        guard poses.isFinished else { throw Drain.error }
    }

    private static func started(
        _ settings: UsedSettings, _ format: PictureFormat?
    ) -> Posed_V1_StreamSynthesizeResponse {
        var response = Posed_V1_StreamSynthesizeResponse()
        response.started = Posed_V1_StreamStarted(settings, format: format)
        return response
    }

    private func response(
        _ answer: StreamAnswer, _ caller: Caller
    ) async throws -> Posed_V1_StreamSynthesizeResponse {
        var response = Posed_V1_StreamSynthesizeResponse()
        response.sequence = answer.sequence
        switch answer.outcome {
        case .frame(let frame, let format):
            response.frame = try await codec.write(frame, as: format, for: caller.account)
        case .superseded(let later, let waited):
            response.superseded.supersededBy = later
            response.superseded.waited = Google_Protobuf_Duration(waited)
        case .failed(let error):
            response.error = Posed_V1_FrameError(error.renamed(Self.poseNames))
        }
        return response
    }
}
