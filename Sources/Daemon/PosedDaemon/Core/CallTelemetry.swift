package import Logging
package import PosedRPC
package import PosedTelemetry
internal import Tracing

/// Gives every call's lines in the log its id, counts calls, and logs what went wrong.
package struct CallTelemetry: Sendable {
    private let metrics: DaemonMetrics
    private let logger: Logger
    private let known: Set<String>
    private let quota: LogQuota
    /// The lines of the access log: a hundred a second at most.
    private let accesses = LogQuota(lines: 1000, period: .seconds(10))
    private let isAccessLogged: @Sendable () -> Bool

    /// Telemetry of the methods of a router; calls of others are counted under one name.
    ///
    /// - Parameters:
    ///   - quota: how many lines callers' mistakes may make.
    ///   - isAccessLogged: whether every call gets a line.
    package init(
        _ metrics: DaemonMetrics, methods: some Sequence<String>, logger: Logger, quota: LogQuota,
        isAccessLogged: @escaping @Sendable () -> Bool = { false }
    ) {
        self.isAccessLogged = isAccessLogged
        self.metrics = metrics
        self.logger = logger
        self.quota = quota
        known = Set(methods)
    }

    /// The interceptor that does so; it should be the outermost.
    package var interceptor: ServerInterceptor {
        { [self] request, context, next in
            try await watch(
                request, context.identity, told: { RPCError($0, in: context) }, next)
        }
    }

    /// Runs a call, counts it, and logs how it ended.
    ///
    /// - Parameter told: what the caller is told of an error.
    package func watch(
        _ request: ServerRequest, _ identity: Identity, told: (any Error) -> RPCError,
        _ body: () async throws -> Void
    ) async throws {
        try await RequestID.$current.withValue(request.id) {
            do {
                try await traced(request, identity, body)
                count(request, code: .ok)
                note(request, identity, .ok)
            } catch {
                let told = told(error)
                count(request, code: told.code)
                note(request, identity, told.code)
                report(told, request, identity: identity)
                throw error
            }
        }
    }

    /// Runs a call in a span, below that of the caller where it names one.
    private func traced(
        _ request: ServerRequest, _ identity: Identity, _ body: () async throws -> Void
    ) async throws {
        var context = ServiceContext.topLevel
        InstrumentationSystem.instrument.extract(
            request.metadata, into: &context, using: MetadataExtractor())
        try await withSpan(
            String(request.method.drop { $0 == "/" }), context: context, ofKind: .server
        ) { span in
            span.attributes["posed.identity"] = "\(identity)"
            span.attributes["posed.request_id"] = request.id
            try await body()
        }
    }

    /// Writes a call into the access log, where there is one.
    private func note(_ request: ServerRequest, _ identity: Identity, _ code: StatusCode) {
        guard isAccessLogged(), let withheld = accesses.take() else { return }
        var metadata: Logger.Metadata = [
            "method": "\(request.method)", "code": "\(code.name)", "peer": "\(request.peer)",
            "identity": "\(identity)",
            "milliseconds": "\(Int(request.arrival.duration(to: .now) / .milliseconds(1)))",
        ]
        if withheld > 0 { metadata["withheld"] = "\(withheld)" }
        logger.info("A call has ended", metadata: metadata)
    }

    /// Counts a call that was turned away when it arrived, and says so in the log.
    package func refused(_ request: ServerRequest, _ error: RPCError) {
        count(request, code: error.code)
        report(error, request, identity: nil)
    }

    private func count(_ request: ServerRequest, code: StatusCode) {
        let method = known.contains(request.method) ? request.method : "unknown"
        metrics.rpcRequests(method, code.name).increment()
        metrics.rpcSeconds(method).observe(request.arrival.duration(to: .now))
    }

    /// The daemon's own failures are errors, callers' mistakes details, of which there is only so much.
    /// Calls that were taken back or came too late are what clients do all day: metrics count them.
    private func report(_ told: RPCError, _ request: ServerRequest, identity: Identity?) {
        var metadata: Logger.Metadata = [
            "method": "\(request.method)", "code": "\(told.code.name)", "peer": "\(request.peer)",
        ]
        if let identity { metadata["identity"] = "\(identity)" }
        switch told.code {
        case .internal, .unknown, .dataLoss:
            let cause = told.cause.map { " (\($0))" } ?? ""
            logger.error("\(told.message)\(cause)", metadata: metadata)
        case .cancelled, .deadlineExceeded:
            logger.debug("\(told.message)", metadata: metadata)
        default:
            guard logger.logLevel <= .info, let withheld = quota.take() else { return }
            if withheld > 0 { metadata["withheld"] = "\(withheld)" }
            // The caller is not told which device has no memory left; the operator is.
            if told.code == .resourceExhausted, let cause = told.cause {
                metadata["cause"] = "\(cause)"
            }
            logger.info("\(told.message)", metadata: metadata)
        }
    }
}

/// Finds what a caller says of its trace.
private struct MetadataExtractor: Extractor {
    func extract(key: String, from carrier: Metadata) -> String? { carrier[key] }
}
