package import Logging
package import PosedRPC
package import PosedTelemetry

/// Gives every call's lines in the log its id, counts calls, and logs what went wrong.
package struct CallTelemetry: Sendable {
    private let metrics: DaemonMetrics
    private let logger: Logger
    private let known: Set<String>

    /// Telemetry of the methods of a router; calls of others are counted under one name.
    package init(_ metrics: DaemonMetrics, methods: some Sequence<String>, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
        known = Set(methods)
    }

    /// The interceptor that does so; it should be the outermost.
    package var interceptor: ServerInterceptor {
        { [self] request, context, next in
            try await RequestID.$current.withValue(request.id) {
                do {
                    try await next()
                    count(request, code: .ok)
                } catch {
                    let told = RPCError(error, in: context)
                    count(request, code: told.code)
                    report(told, error, request, context)
                    throw error
                }
            }
        }
    }

    private func count(_ request: ServerRequest, code: StatusCode) {
        let method = known.contains(request.method) ? request.method : "unknown"
        metrics.rpcRequests(method, code.name).increment()
        metrics.rpcSeconds(method).observe(request.arrival.duration(to: .now))
    }

    /// Callers' mistakes are details; the daemon's own failures are errors.
    private func report(
        _ told: RPCError, _ error: any Error, _ request: ServerRequest, _ context: ServerContext
    ) {
        let isOurs = [.internal, .unknown, .dataLoss].contains(told.code)
        let cause = told.cause.map { " (\($0))" } ?? ""
        logger.log(
            level: isOurs ? .error : .info, "\(told.message)\(isOurs ? cause : "")",
            metadata: [
                "method": "\(request.method)", "code": "\(told.code.name)",
                "identity": "\(context.identity)", "peer": "\(request.peer)",
            ])
    }
}
