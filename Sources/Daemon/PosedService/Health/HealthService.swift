import PosedErrors
package import PosedProtos

/// `grpc.health.v1.Health`.
package struct HealthService: Sendable {
    private let registry: HealthRegistry

    /// The service, as `registry` knows.
    package init(registry: HealthRegistry) { self.registry = registry }

    /// Says how a service is.
    package func check(
        _ request: Grpc_Health_V1_HealthCheckRequest
    ) throws -> Grpc_Health_V1_HealthCheckResponse {
        guard let status = registry.status(of: request.service) else {
            throw RequestError(
                .notFound, "there is no service `\(request.service.prefix(80))`", at: "service")
        }
        return status.message
    }

    /// Says so again whenever it changes, until the caller is gone or the daemon drains.
    package func watch(
        _ request: Grpc_Health_V1_HealthCheckRequest,
        send: @Sendable (Grpc_Health_V1_HealthCheckResponse) async throws -> Void
    ) async throws {
        var sent: Grpc_Health_V1_HealthCheckResponse?
        for await status in registry.watch(request.service) {
            var message = Grpc_Health_V1_HealthCheckResponse()
            message.status = .serviceUnknown
            message = status?.message ?? message
            if message != sent { try await send(message) }
            sent = message
        }
        try Task.checkCancellation()
        throw Drain.error
    }
}
