package import PosedRPC

/// The methods of `grpc.health.v1.Health`.
package enum HealthMethods {
    /// The service's full name.
    package static let service = "grpc.health.v1.Health"

    /// Says how a service is.
    package static let check =
        MethodDescriptor<Grpc_Health_V1_HealthCheckRequest, Grpc_Health_V1_HealthCheckResponse>(
            service, "Check")
    /// Says so again whenever it changes.
    package static let watch =
        MethodDescriptor<Grpc_Health_V1_HealthCheckRequest, Grpc_Health_V1_HealthCheckResponse>(
            service, "Watch", .serverStreaming)
}
