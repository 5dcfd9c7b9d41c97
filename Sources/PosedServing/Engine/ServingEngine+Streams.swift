import PosedErrors
import PosedPipeline
import PosedSessions

extension ServingEngine {
    package func openStream(
        _ options: StreamOptions, owner: String
    ) async throws -> any FrameStream {
        try gate.enter()
        defer { gate.leave() }
        do {
            if let maxLag = options.maxLag, maxLag < .zero {
                throw RequestError(
                    .invalidArgument, "a lag of at least 0 expected, but it is \(maxLag)",
                    at: "max_lag")
            }
            let subject = try subject(.session(options.session), owner: owner)
            var base = options.settings.over(subject.defaults)
            var first = try resolver.resolve(
                base, model: subject.model, warmStart: options.warmStart)
            first.form = place(first.form, of: subject)
            base.seed = first.settings.seed
            let source = try await conditioning(
                of: subject, first.form, owner: owner, due: nil)
            return LiveStream(
                self,
                LiveStream.Terms(
                    options: options, owner: owner, subject: subject, base: base, resolved: first,
                    source: source, number: nextStream(), window: streamWindow))
        } catch {
            throw RequestError(error)
        }
    }
}
