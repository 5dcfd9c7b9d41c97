import PosedAccounts
import PosedErrors
import PosedGuarded
import PosedProtos
import PosedRPC
import PosedServing
import PosedVision

/// The poses of a stream, read from its messages one at a time, as they are asked for.
///
/// They end with the client's last message, and when draining begins. A message that cannot be read is a pose
/// whose answer is the reason.
final class StreamPoses: AsyncSequence, Sendable {
    typealias Element = StreamPose

    private let limits: ServingLimits
    private let codec: PictureCodec
    private let caller: Caller
    private let drain: Drain
    private let receive: SynthesisService.Receive
    private let ended = Guarded(false)

    init(
        limits: ServingLimits, codec: PictureCodec, caller: Caller, drain: Drain,
        receive: @escaping SynthesisService.Receive
    ) {
        self.limits = limits
        self.codec = codec
        self.caller = caller
        self.drain = drain
        self.receive = receive
    }

    /// Whether the client has sent its last message.
    var isFinished: Bool { ended.withLock { $0 } }

    func makeAsyncIterator() -> Iterator { Iterator(poses: self) }

    /// Asks for the poses; there is one for each stream.
    struct Iterator: AsyncIteratorProtocol {
        fileprivate let poses: StreamPoses

        /// - Throws: `RequestError` for a second `start`, and what `receive` throws when the call is over.
        mutating func next() async throws -> StreamPose? { try await poses.next() }

        mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> StreamPose? {
            try await poses.next()
        }
    }

    private func next() async throws -> StreamPose? {
        let received: Received<Posed_V1_StreamSynthesizeRequest>?
        do {
            received = try await drain.unlessBegun { [self] in
                let received = try await receive()
                if received == nil { ended.withLock { $0 = true } }
                return received
            }
        } catch let error as RPCError where Self.isAboutTheMessage(error.code) {
            let code = RequestError.Code(rawValue: error.code.rawValue) ?? .internal
            return StreamPose(sequence: nil, .failure(RequestError(code, error.message)))
        } catch let error as RequestError {
            return StreamPose(sequence: nil, .failure(error))
        }
        guard let received else { return nil }
        switch received.message.step {
        case .pose(let pose): return try await read(pose, received.hold)
        case .start:
            throw RequestError(
                .invalidArgument, "expected once, at the beginning of a stream, got another",
                at: "start")
        case nil:
            return StreamPose(
                sequence: nil,
                .failure(
                    RequestError(
                        .invalidArgument, "a message with `pose` expected, got nothing known")))
        }
    }

    /// Whether a status is about one message; the next can be asked for then.
    private static func isAboutTheMessage(_ code: StatusCode) -> Bool {
        code == .invalidArgument || code == .resourceExhausted
    }

    private func read(_ message: Posed_V1_StreamPose, _ hold: Hold) async throws -> StreamPose {
        do {
            let settings = try message.settings.settings(at: "settings", limits: limits)
            let maxSide = limits.maxSide
            let part = try await codec.read(
                for: caller.account, message.pose.cost(maxSide: maxSide)
            ) { try message.pose.pose(at: "pose", maxSide: maxSide) }
            hold.note(hold.amount + part.hold.amount)
            return StreamPose(
                sequence: message.sequence, .success(.init(part.value, settings: settings)),
                readTime: part.time, hold: hold)
        } catch let error as CancellationError {
            throw error
        } catch {
            return StreamPose(
                sequence: message.sequence, .failure(RequestError(error, at: "pose")))
        }
    }
}
