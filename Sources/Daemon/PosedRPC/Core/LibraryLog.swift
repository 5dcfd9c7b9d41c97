internal import CPosedGRPC
internal import PosedGuarded

/// The log lines of gRPC's library, which would otherwise go to standard error.
package enum LibraryLog {
    /// How much a line matters.
    package enum Severity: Sendable, Hashable {
        case debug
        case info
        case error
    }

    /// Receives a line. It runs on any thread and must neither block nor make calls.
    package typealias Sink = @Sendable (Severity, String) -> Void

    private static let sink = Guarded<Sink?>(nil)

    /// Sends the library's lines from `least` on to `sink`, for the whole process.
    ///
    /// Peers that speak nonsense show up as errors here: that is their trouble, not the server's.
    package static func forward(from least: Severity, to sink: @escaping Sink) {
        self.sink.withLock { $0 = sink }
        let native =
            switch least {
            case .debug: POSED_GRPC_DEBUG
            case .info: POSED_GRPC_INFO
            case .error: POSED_GRPC_ERROR
            }
        posed_grpc_set_log({ severity, message in LibraryLog.write(severity, message) }, native)
    }

    private static func write(_ severity: posed_grpc_severity, _ message: UnsafePointer<CChar>?) {
        guard let message, let sink = sink.withLock({ $0 }) else { return }
        let severity: Severity =
            switch severity {
            case POSED_GRPC_ERROR: .error
            case POSED_GRPC_INFO: .info
            default: .debug
            }
        sink(severity, String(cString: message))
    }
}
