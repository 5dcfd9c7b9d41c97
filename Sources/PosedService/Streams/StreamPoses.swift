import PosedErrors
import PosedProtos
import PosedRPC
import PosedServing
import PosedVision

/// Takes the poses of a stream, one message at a time, and hands them to the engine.
struct StreamPoses: Sendable {
    let limits: ServingLimits
    /// How pictures are sent where a pose does not say.
    let format: PictureFormat
    let codec: PictureCodec
    let window: StreamWindow
    let frames: any FrameStream

    /// Takes poses until the client has sent its last, or nobody wants more.
    ///
    /// - Throws: `RequestError` for a second `start`, and what `receive` throws when the call is over.
    func take(_ receive: SynthesisService.Receive) async throws {
        while await window.room() {
            let message: Posed_V1_StreamSynthesizeRequest?
            do {
                message = try await receive()
            } catch let error as RPCError where error.code == .invalidArgument {
                await refuse(0, RequestError(.invalidArgument, error.message))
                continue
            }
            guard let message else {
                window.finish()
                frames.finish()
                return
            }
            switch message.message {
            case .pose(let pose): try await take(pose)
            case .start:
                throw RequestError(
                    .invalidArgument, "expected once, at the beginning of a stream, got another",
                    at: "start")
            case nil:
                await refuse(
                    0,
                    RequestError(
                        .invalidArgument, "a message with `pose` expected, got nothing known"))
            }
        }
        try Task.checkCancellation()
    }

    private func take(_ message: Posed_V1_StreamPose) async throws {
        if let error = window.follow(message.sequence) {
            await refuse(message.sequence, error)
            return
        }
        do {
            let settings = try message.settings.settings(at: "settings", limits: limits)
            let (pose, time) = try await codec.read(isHeavy: message.pose.isHeavy) { [limits] in
                try message.pose.pose(at: "pose", maxSide: limits.maxSide)
            }
            let entry = StreamLedger.Entry(
                sequence: message.sequence, format: settings.format ?? format, readTime: time)
            guard window.take(entry) else { return }
            await frames.submit(
                StreamPose(sequence: message.sequence, pose: pose, settings: settings))
        } catch let error as CancellationError {
            throw error
        } catch {
            await refuse(message.sequence, error)
        }
    }

    /// Answers a pose that cannot be read with what is wrong with it, in its turn.
    private func refuse(_ sequence: UInt64, _ error: any Error) async {
        let entry = StreamLedger.Entry(sequence: sequence, format: format, readTime: .zero)
        guard window.take(entry) else { return }
        await frames.reject(
            sequence: sequence, (error as? RequestError) ?? RequestError(error, at: "pose"))
    }
}
