internal import CPosedGRPC

/// Whether a channel can carry calls.
package enum Connectivity: Sendable, Hashable {
    /// Not connected, and nobody has asked for it.
    case idle
    case connecting
    case ready
    /// The last attempt failed; another follows after a while.
    case failing
    /// Closed for good.
    case shutdown

    init(_ native: posed_grpc_connectivity) {
        switch native {
        case POSED_GRPC_IDLE: self = .idle
        case POSED_GRPC_CONNECTING: self = .connecting
        case POSED_GRPC_READY: self = .ready
        case POSED_GRPC_TRANSIENT_FAILURE: self = .failing
        default: self = .shutdown
        }
    }

    var native: posed_grpc_connectivity {
        switch self {
        case .idle: POSED_GRPC_IDLE
        case .connecting: POSED_GRPC_CONNECTING
        case .ready: POSED_GRPC_READY
        case .failing: POSED_GRPC_TRANSIENT_FAILURE
        case .shutdown: POSED_GRPC_CHANNEL_SHUTDOWN
        }
    }
}
