internal import PosedDaemon
internal import PosedGuarded

/// A core that does what a test tells it, and tells what it was asked.
final class ScriptedCore: DaemonCore {
    /// What was asked of the core.
    enum Call: Equatable, Sendable {
        case start, reload(maxNfe: Int), drain, abandon, stop
    }

    /// What the test may tell it.
    struct Script: Sendable {
        var startFailure: String?
        var reloadFailure: String?
        /// What is wrong with any configuration, at the start or at a reload.
        var startProblems: [ConfigurationProblem] = []
        var reloadProblems: [ConfigurationProblem] = []
        /// Whether the start waits until the test lets it end.
        var startsWhenTold = false
        /// Whether the compute loop has gone round whenever somebody looks.
        var isAlive = true
        var statistics = CoreStatistics()
    }

    private let rounds = Guarded<UInt64>(0)
    var pulse: UInt64 {
        let isAlive = script.withLock { $0.isAlive }
        return rounds.withLock { rounds in
            if isAlive { rounds += 1 }
            return rounds
        }
    }
    let script: Guarded<Script>
    /// What was asked, in order.
    let calls: AsyncStream<Call>

    private let record: AsyncStream<Call>.Continuation
    private let failure: AsyncThrowingStream<Never, any Error>
    private let failureInput: AsyncThrowingStream<Never, any Error>.Continuation
    private let started: AsyncStream<Void>
    private let startedInput: AsyncStream<Void>.Continuation
    private let drained: AsyncStream<Int>
    private let drainedInput: AsyncStream<Int>.Continuation

    init(_ script: Script = Script()) {
        self.script = Guarded(script)
        (calls, record) = AsyncStream.makeStream()
        (failure, failureInput) = AsyncThrowingStream.makeStream()
        (started, startedInput) = AsyncStream.makeStream()
        (drained, drainedInput) = AsyncStream.makeStream()
    }

    /// Lets a start end.
    func finishStarting() { startedInput.yield() }
    /// Lets a drain end.
    func finishDraining(unfinished: Int = 0) { drainedInput.yield(unfinished) }
    /// Fails, as a lost device would have it.
    func fail(_ error: any Error) { failureInput.finish(throwing: error) }

    var statistics: CoreStatistics { script.withLock { $0.statistics } }

    func start(_ configuration: DaemonConfiguration, _ context: CoreContext) async throws {
        record.yield(.start)
        context.progress("Loading the transformer")
        if script.withLock({ $0.startsWhenTold }) { for await _ in started { break } }
        if let failure = script.withLock({ $0.startFailure }) {
            throw DaemonError(.core, failure)
        }
        let problems = script.withLock { $0.startProblems }
        if !problems.isEmpty { throw ConfigurationProblems(problems) }
    }

    func untilEnded() async throws {
        for try await _ in failure {}
        try Task.checkCancellation()
    }

    func reload(_ configuration: DaemonConfiguration) async throws {
        record.yield(.reload(maxNfe: configuration[Settings.Limits.maxNfe]))
        if let failure = script.withLock({ $0.reloadFailure }) {
            throw DaemonError(.core, failure)
        }
        let problems = script.withLock { $0.reloadProblems }
        if !problems.isEmpty { throw ConfigurationProblems(problems) }
    }

    func drain() async -> Int {
        record.yield(.drain)
        for await unfinished in drained { return unfinished }
        return 0
    }

    func abandon() { record.yield(.abandon) }
    func stop() async { record.yield(.stop) }
}
