import Foundation
import PosedRPC

/// A connection to the daemon.
struct Client: Sendable {
    let channel: Channel
    private let timeout: Duration
    private let hasToken: Bool

    /// How long a daemon at a TCP port may take to answer at all. At a Unix socket it may take as long as a request:
    /// systemd listens there, and starts the daemon with the first connection.
    private static let patience = Duration.seconds(10)

    /// How long a daemon takes to answer that has nothing else to do.
    private static let haste = Duration.milliseconds(500)

    /// How long until somebody who waits for a daemon looks again.
    private static let pause = Duration.milliseconds(100)

    /// Connects, so that a daemon that is not there is noticed before anything else.
    ///
    /// - Parameter end: Until when a daemon that is not there is waited for; nil for not at all.
    /// - Throws: `PosectlError` `unreachable`, with what to do about it; `ValidationError`.
    init(
        _ options: ConnectionOptions, waitingUntil end: ContinuousClock.Instant? = nil
    ) async throws {
        let configuration = try options.configuration()
        let channel: Channel
        do {
            channel = try Channel(configuration)
        } catch {
            throw PosectlError(.file, Text.line(error.message), cause: error)
        }
        if let end {
            try await Self.connect(channel, configuration.target, until: end)
        } else {
            try await Self.connect(channel, configuration.target, patience: options.timeout)
        }
        self.channel = channel
        hasToken = options.effectiveTokenFile != nil
        timeout = options.timeout
    }

    /// Waits for the daemon, but not where nobody listens.
    private static func connect(
        _ channel: Channel, _ target: ChannelConfiguration.Target, patience: Duration
    ) async throws {
        var patience = patience
        if case .tcp = target { patience = min(patience, Self.patience) }
        if await channel.ready(within: min(haste, patience)) { return }
        let unreachable = Unreachable(target)
        if unreachable.isCertain { throw unreachable.error }
        guard await channel.ready(within: patience) else { throw unreachable.error }
    }

    /// Waits for the daemon, even where nobody listens yet.
    private static func connect(
        _ channel: Channel, _ target: ChannelConfiguration.Target,
        until end: ContinuousClock.Instant
    ) async throws {
        let unreachable = Unreachable(target)
        while unreachable.isCertain {
            guard ContinuousClock.now < end else { throw unreachable.error }
            try await Task.sleep(for: pause)
        }
        guard await channel.ready(within: max(end - ContinuousClock.now, haste)) else {
            throw unreachable.error
        }
    }

    /// What holds for a request.
    ///
    /// - Parameter session: The name of the session that it is about. It goes along as metadata, so that a proxy in front
    ///   of several daemons sends all requests of a session to the same one; nil or empty for none.
    func options(of session: String? = nil) -> CallOptions {
        CallOptions(metadata: Self.metadata(of: session), timeout: timeout)
    }

    /// What holds for a stream of a session, which may take any time.
    static func streamOptions(of session: String) -> CallOptions {
        CallOptions(metadata: metadata(of: session))
    }

    private static func metadata(of session: String?) -> Metadata {
        var metadata = Metadata()
        if let session, !session.isEmpty { try? metadata.add("x-posed-session", session) }
        return metadata
    }

    /// One request, one reply. Throws `PosectlError`.
    func call<Request, Response>(
        _ method: MethodDescriptor<Request, Response>, _ request: Request,
        session: String? = nil
    ) async throws -> Response {
        do {
            return try await channel.unary(method, request, options: options(of: session))
        } catch let error as RPCError {
            throw explained(error)
        }
    }

    /// What the daemon said, and what this caller can do about it.
    func explained(_ error: RPCError) -> PosectlError {
        PosectlError(error, hasToken: hasToken)
    }
}
