import PosedErrors
import PosedGuarded
import PosedServing

/// A stream without an engine.
final class FakeFrameStream: Sendable {
    /// When poses become frames.
    enum Answering: Sendable {
        /// As they come.
        case atOnce
        /// When the test says so, or when the poses have come to their end.
        case whenTold
    }

    private struct State {
        var poses: [StreamPose] = []
        var isFinished = false
        var isCancelled = false
    }

    let options: StreamOptions
    private let answering: Answering
    private let answers: AsyncStream<StreamAnswer>
    private let continuation: AsyncStream<StreamAnswer>.Continuation
    private let state = Guarded(State())
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation
    private let endings: AsyncStream<Void>
    private let ended: AsyncStream<Void>.Continuation

    init(_ options: StreamOptions, _ answering: Answering) {
        self.options = options
        self.answering = answering
        (answers, continuation) = AsyncStream.makeStream()
        (arrivals, arrived) = AsyncStream.makeStream()
        (endings, ended) = AsyncStream.makeStream()
    }

    /// The poses that came, those that could not be read among them.
    var poses: [StreamPose] { state.withLock { $0.poses } }
    var isFinished: Bool { state.withLock { $0.isFinished } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Serves until the poses have come to their end and all are answered.
    func serve<Poses: AsyncSequence & Sendable>(
        _ poses: Poses, opened: (UsedSettings) async throws -> Void,
        answer: @escaping @Sendable (StreamAnswer) async throws -> Void
    ) async throws where Poses.Element == StreamPose {
        do {
            var used = UsedSettings()
            used.seed = options.settings.seed ?? 99
            try await opened(used)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [self] in try await take(poses) }
                group.addTask { [self] in
                    for await next in answers { try await answer(next) }
                    try Task.checkCancellation()
                }
                for try await _ in group {}
            }
        } catch {
            state.withLock { $0.isCancelled = true }
            ended.finish()
            throw error
        }
    }

    private func take<Poses: AsyncSequence>(_ poses: Poses) async throws
    where Poses.Element == StreamPose {
        var waiting: [StreamAnswer] = []
        for try await pose in poses {
            let made = answer(to: pose)
            state.withLock { $0.poses.append(pose) }
            if answering == .atOnce { continuation.yield(made) } else { waiting.append(made) }
            arrived.yield()
        }
        state.withLock { $0.isFinished = true }
        for answer in waiting { continuation.yield(answer) }
        continuation.finish()
    }

    private func answer(to pose: StreamPose) -> StreamAnswer {
        let outcome: StreamAnswer.Outcome
        do {
            let settings = try pose.content.get().settings.over(options.settings)
            outcome = .frame(try FakeServing.frame(settings), settings.format ?? .png)
        } catch {
            outcome = .failed(error as? RequestError ?? RequestError(.internal, "\(error)"))
        }
        return StreamAnswer(sequence: pose.sequence ?? 0, outcome: outcome)
    }

    /// Answers with an answer of the test's own.
    func emit(_ answer: StreamAnswer) { continuation.yield(answer) }

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
