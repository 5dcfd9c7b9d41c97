import PosedProtos

/// How a service is.
package enum HealthStatus: Sendable, Equatable {
    /// It takes requests.
    case serving
    /// It does not, for the moment or for good: the daemon is starting or draining.
    case notServing

    /// The status as it is sent.
    var message: Grpc_Health_V1_HealthCheckResponse {
        var message = Grpc_Health_V1_HealthCheckResponse()
        message.status = self == .serving ? .serving : .notServing
        return message
    }
}
