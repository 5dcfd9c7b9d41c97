package import Logging
package import PosedBase

/// One line of a log before it has a form.
package struct LogRecord: Sendable {
    /// When it was logged.
    package var time: WallTime
    /// How grave it is.
    package var level: Logger.Level
    /// The name of the logger.
    package var label: String
    /// What happened.
    package var message: String
    /// The circumstances.
    package var metadata: Logger.Metadata

    /// A line of a log.
    package init(
        time: WallTime, level: Logger.Level, label: String, message: String,
        metadata: Logger.Metadata = [:]
    ) {
        self.time = time
        self.level = level
        self.label = label
        self.message = message
        self.metadata = metadata
    }
}

extension Logger.Level {
    /// The priority of `syslog(3)`, which the journal reads from a line's prefix.
    var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
