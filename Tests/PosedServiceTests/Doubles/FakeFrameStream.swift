import PosedErrors
import PosedGuarded
import PosedServing

/// A stream without an engine.
final class FakeFrameStream: FrameStream {
    /// When poses become frames.
    enum Answering: Sendable {
        /// As they come.
        case atOnce
        /// When the test says so, or when the stream is finished.
        case whenTold
    }

    private struct State {
        var poses: [StreamPose] = []
        var waiting: [StreamEvent] = []
        var isFinished = false
        var isCancelled = false
    }

    let options: StreamOptions
    let events: AsyncStream<StreamEvent>
    private let answering: Answering
    private let continuation: AsyncStream<StreamEvent>.Continuation
    private let state = Guarded(State())
    private let arrivals: AsyncStream<UInt64>
    private let arrived: AsyncStream<UInt64>.Continuation
    private let endings: AsyncStream<Void>
    private let ended: AsyncStream<Void>.Continuation

    init(_ options: StreamOptions, _ answering: Answering) {
        self.options = options
        self.answering = answering
        (events, continuation) = AsyncStream.makeStream()
        (arrivals, arrived) = AsyncStream.makeStream()
        (endings, ended) = AsyncStream.makeStream()
    }

    var settings: UsedSettings {
        var used = UsedSettings()
        used.seed = options.settings.seed ?? 99
        return used
    }

    /// The poses that were submitted.
    var poses: [StreamPose] { state.withLock { $0.poses } }
    var isFinished: Bool { state.withLock { $0.isFinished } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func submit(_ pose: StreamPose) async {
        let settings = pose.settings.over(options.settings)
        let event: StreamEvent
        do {
            event = StreamEvent(
                sequence: pose.sequence, outcome: .frame(try FakeServing.frame(settings)))
        } catch {
            event = StreamEvent(
                sequence: pose.sequence, outcome: .failed(RequestError(.internal, "\(error)")))
        }
        state.withLock { $0.poses.append(pose) }
        answer(event)
    }

    func reject(sequence: UInt64, _ error: RequestError) async {
        answer(StreamEvent(sequence: sequence, outcome: .failed(error)))
    }

    private func answer(_ event: StreamEvent) {
        state.withLock { state in
            if answering == .atOnce {
                continuation.yield(event)
            } else {
                state.waiting.append(event)
            }
        }
        arrived.yield(event.sequence)
    }

    func finish() {
        let waiting = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for event in waiting { continuation.yield(event) }
        continuation.finish()
    }

    func cancel() {
        state.withLock { $0.isCancelled = true }
        continuation.finish()
        ended.finish()
    }

    /// Answers with an event of the test's own.
    func emit(_ event: StreamEvent) { continuation.yield(event) }

    /// Waits until that many poses have come.
    func arrivals(_ count: Int) async {
        var left = count
        for await _ in arrivals {
            left -= 1
            if left == 0 { return }
        }
    }

    /// Waits until somebody cancels the stream.
    func cancellation() async {
        for await _ in endings {}
    }
}
