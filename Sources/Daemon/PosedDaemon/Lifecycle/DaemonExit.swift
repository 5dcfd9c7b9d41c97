/// How the process ended, as its parent sees it.
package struct DaemonExit: RawRepresentable, Hashable, Sendable {
    /// The number that the process exits with.
    package let rawValue: Int32

    /// A status by its number.
    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Told to stop; every accepted frame was answered.
    package static let drained = DaemonExit(rawValue: 0)
    /// The model, an endpoint or the warm-up failed; nothing was served.
    package static let startFailed = DaemonExit(rawValue: 1)
    /// The core failed while it served.
    package static let failed = DaemonExit(rawValue: 70)
    /// Told to stop; the drain time ran out, and accepted frames were lost.
    package static let drainExpired = DaemonExit(rawValue: 75)
    /// The configuration was refused; nothing was started.
    package static let configuration = DaemonExit(rawValue: 78)

    /// Told to stop twice: ended at once, as the signal would have ended it.
    package static func forced(by signal: DaemonSignal) -> DaemonExit {
        DaemonExit(rawValue: 128 + signal.rawValue)
    }
}

/// The signals that the daemon listens to.
package enum DaemonSignal: Int32, Hashable, Sendable {
    /// Reload.
    case hangup = 1
    /// Stop, from a terminal.
    case interrupt = 2
    /// Stop.
    case terminate = 15

    /// The signal's name.
    package var name: String {
        switch self {
        case .hangup: "SIGHUP"
        case .interrupt: "SIGINT"
        case .terminate: "SIGTERM"
        }
    }
}
