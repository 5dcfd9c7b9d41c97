import PosedAccounts
import PosedErrors
import PosedPipeline
import PosedSessions

extension ServingEngine {
    package func stream<Poses: AsyncSequence & Sendable>(
        _ options: StreamOptions, owner: String, poses: Poses,
        opened: @Sendable (UsedSettings) async throws -> Void,
        answer: @escaping @Sendable (StreamAnswer) async throws -> Void
    ) async throws where Poses.Element == StreamPose {
        let hold = try account(of: owner).take(.streams)
        defer { hold.release() }
        let (stream, settings) = try await open(options, owner: owner)
        defer { stream.close() }
        try await opened(settings)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await stream.take(poses) }
            group.addTask { try await stream.deliver(answer) }
            for try await _ in group {}
        }
    }

    private func open(
        _ options: StreamOptions, owner: String
    ) async throws -> (stream: LiveStream, settings: UsedSettings) {
        do {
            if let maxLag = options.maxLag, maxLag < .zero {
                throw RequestError(
                    .invalidArgument, "a lag of at least 0 expected, but it is \(maxLag)",
                    at: "max_lag")
            }
            let subject = try await subject(.session(options.session), owner: owner)
            let track = try track(
                of: subject, retargetTo: options.retargetTo, smoother: options.smoother)
            var base = options.settings.over(subject.defaults)
            var first = try resolver.resolve(
                base, model: subject.model, warmStart: options.warmStart)
            first.form = place(first.form, of: subject)
            try checkCost(first)
            base.seed = first.settings.seed
            let source = try await conditioning(
                of: subject, first.form, owner: owner, due: nil)
            let terms = LiveStream.Terms(
                options: options, owner: owner, subject: subject, track: track, base: base,
                resolved: first,
                source: source, number: nextStream(), window: streamWindow)
            return (LiveStream(self, terms), first.used)
        } catch {
            throw RequestError(error)
        }
    }
}
