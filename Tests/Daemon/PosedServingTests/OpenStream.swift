import PosedErrors
import PosedGuarded
import PosedServing
import PosedVision

/// A stream that a test feeds pose by pose, and whose answers it takes or leaves.
final class OpenStream: Sendable {
    private struct State {
        var settings: UsedSettings?
        var words: [String] = []
        var frames: [Frame] = []
        var taken = 0
        var isReading: Bool
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// The poses of the test, and how many of them somebody has asked for.
    private struct Poses: AsyncSequence, Sendable {
        typealias Element = StreamPose
        let stream: AsyncStream<StreamPose>
        let took: @Sendable () -> Void

        struct Iterator: AsyncIteratorProtocol {
            var inner: AsyncStream<StreamPose>.Iterator
            let took: @Sendable () -> Void

            mutating func next() async -> StreamPose? {
                let pose = await inner.next()
                if pose != nil { took() }
                return pose
            }
        }

        func makeAsyncIterator() -> Iterator {
            Iterator(inner: stream.makeAsyncIterator(), took: took)
        }
    }

    private let state: Guarded<State>
    private let poses: AsyncStream<StreamPose>.Continuation
    private let call: Guarded<Task<Void, any Error>?> = Guarded(nil)

    /// Opens a stream of an owner's session.
    ///
    /// - Parameter reads: whether answers are taken as they come.
    init(_ engine: ServingEngine, _ options: StreamOptions, owner: String = "o", reads: Bool = true)
    {
        state = Guarded(State(isReading: reads))
        let (stream, poses) = AsyncStream.makeStream(of: StreamPose.self)
        self.poses = poses
        let sequence = Poses(stream: stream) { [weak self] in self?.state.withLock { $0.taken += 1 }
        }
        let task = Task { [self] in
            try await engine.stream(options, owner: owner, poses: sequence) { [self] settings in
                state.withLock { $0.settings = settings }
            } answer: { [self] answer in
                await reading()
                try Task.checkCancellation()
                note(answer)
            }
        }
        call.withLock { $0 = task }
    }

    /// What frames are made with; nil before the stream is open.
    var settings: UsedSettings? { state.withLock { $0.settings } }

    /// The answers as words: `1 frame`, `2 superseded by 3`, `4 invalidArgument`.
    var words: [String] { state.withLock { $0.words } }

    /// The frames among the answers.
    var frames: [Frame] { state.withLock { $0.frames } }

    /// Poses that the engine has asked for.
    var taken: Int { state.withLock { $0.taken } }

    func submit(_ sequence: UInt64, _ pose: PoseInput, _ settings: FrameSettings = FrameSettings())
    {
        poses.yield(StreamPose(sequence: sequence, .success(.init(pose, settings: settings))))
    }

    func submit(_ sequence: UInt64) throws { submit(sequence, try TestEngine.pose(Int(sequence))) }

    func reject(_ sequence: UInt64?, _ error: RequestError) {
        poses.yield(StreamPose(sequence: sequence, .failure(error)))
    }

    func finish() { poses.finish() }

    func cancel() { call.withLock { $0 }?.cancel() }

    /// Takes answers from now on.
    func read() {
        let waiting = state.withLock { state in
            state.isReading = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// The call, which ends with the stream.
    var ended: Task<[String], any Error> {
        let call = call.withLock { $0 }
        return Task { [self] in
            try await call?.value
            return words
        }
    }

    private func reading() async {
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                if !state.isReading { state.waiting.append(continuation) }
                return state.isReading
            }
            if goesOn { continuation.resume() }
        }
    }

    private func note(_ answer: StreamAnswer) {
        state.withLock { state in
            switch answer.outcome {
            case .frame(let frame, _):
                state.words.append("\(answer.sequence) frame")
                state.frames.append(frame)
            case .superseded(let by, _):
                state.words.append("\(answer.sequence) superseded by \(by)")
            case .failed(let error): state.words.append("\(answer.sequence) \(error.code)")
            }
        }
    }
}
