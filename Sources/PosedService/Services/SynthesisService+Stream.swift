import PosedErrors
package import PosedProtos
import PosedRPC
import PosedServing
import SwiftProtobuf

extension SynthesisService {
    /// The client's next message; nil when it has sent its last. A message that cannot be read throws an
    /// `RPCError` `invalidArgument`, and the next one can be asked for.
    package typealias Receive = @Sendable () async throws -> Posed_V1_StreamSynthesizeRequest?

    /// Sends a message, and returns when the client's window has let it pass.
    package typealias Send = @Sendable (Posed_V1_StreamSynthesizeResponse) async throws -> Void

    /// Poses of one stream that may await their answers at a time.
    package static let window = 128

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
        guard case .start(let start)? = try await receive()?.message else {
            throw RequestError(
                .invalidArgument, "expected as the first message of a stream, got another",
                at: "start")
        }
        let options = try start.options(limits: limits)
        let (format, frames) = try await RequestError.renaming(Posed_V1_StreamStart.names) {
            (
                try options.settings.format ?? sessionFormat(options.session, caller),
                try await serving.openStream(options, owner: caller.owner)
            )
        }
        defer { frames.cancel() }
        let window = StreamWindow(capacity: Self.window)
        let poses = StreamPoses(
            limits: limits, format: format, codec: codec, window: window, frames: frames)
        try await withTaskCancellationHandler {
            try await send(Self.started(frames))
            try await drain.during {
                window.close()
                frames.finish()
            } _: {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await poses.take(receive) }
                    group.addTask { try await answer(frames, window, send) }
                    for try await _ in group {}
                }
            }
        } onCancel: {
            frames.cancel()
        }
    }

    private func sessionFormat(_ name: String, _ caller: Caller) throws -> PictureFormat {
        try serving.session(name, owner: caller.owner).defaults.format ?? .png
    }

    private static func started(
        _ frames: any FrameStream
    ) -> Posed_V1_StreamSynthesizeResponse {
        var response = Posed_V1_StreamSynthesizeResponse()
        response.started.settings = Posed_V1_UsedSettings(frames.settings)
        return response
    }

    /// Sends the answers until there are no more.
    private func answer(
        _ frames: any FrameStream, _ window: StreamWindow, _ send: Send
    ) async throws {
        for await event in frames.events {
            guard let entry = window.answer(), entry.sequence == event.sequence else {
                throw RequestError(
                    .internal, "the engine answered pose \(event.sequence) out of its turn")
            }
            try await send(try await response(event, entry))
            window.sent()
        }
        try Task.checkCancellation()
        guard window.isFinished else { throw Drain.error }
    }

    private func response(
        _ event: StreamEvent, _ entry: StreamLedger.Entry
    ) async throws -> Posed_V1_StreamSynthesizeResponse {
        var response = Posed_V1_StreamSynthesizeResponse()
        response.sequence = event.sequence
        switch event.outcome {
        case .frame(var frame):
            frame.timings.pose += entry.readTime
            frame.timings.total += entry.readTime
            response.frame = try await codec.write(frame, as: entry.format)
        case .superseded(let later, let waited):
            response.superseded.supersededBy = later
            response.superseded.waited = Google_Protobuf_Duration(waited)
        case .failed(let error):
            let told = error.renamed(Self.poseNames)
            response.error.code = told.code.rawValue
            response.error.message = told.description
        }
        return response
    }
}
