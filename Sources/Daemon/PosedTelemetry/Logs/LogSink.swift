internal import Glibc
package import Logging
package import PosedBase
internal import PosedGuarded

/// Where a process's log goes, and from which level on: shared by all its loggers, changed while it runs.
package final class LogSink: Sendable {
    private struct Settings {
        var level: Logger.Level
        var format: LogFormat
    }

    private let settings: Guarded<Settings>
    private let descriptor: Int32
    private let now: @Sendable () -> WallTime

    /// A log that is written to a descriptor, which the caller keeps open.
    package init(
        descriptor: Int32 = STDERR_FILENO, format: LogFormat, level: Logger.Level = .info,
        now: @escaping @Sendable () -> WallTime = WallTime.now
    ) {
        self.descriptor = descriptor
        self.settings = Guarded(Settings(level: level, format: format))
        self.now = now
    }

    /// The least grave level that is written. A new level holds for every logger at once, except those that
    /// were given one of their own.
    package var level: Logger.Level {
        get { settings.withLock { $0.level } }
        set { settings.withLock { $0.level = newValue } }
    }

    /// The form of the lines.
    package var format: LogFormat {
        get { settings.withLock { $0.format } }
        set { settings.withLock { $0.format = newValue } }
    }

    /// Makes every logger of the process write here, with request identifiers. Once in a process.
    package func bootstrap() {
        LoggingSystem.bootstrap(
            { label, provider in LogHandler(label: label, sink: self, metadataProvider: provider) },
            metadataProvider: RequestID.metadata)
    }

    /// A logger that writes here, whatever the process's loggers do.
    package func logger(_ label: String) -> Logger {
        Logger(label: label) { label in
            LogHandler(label: label, sink: self, metadataProvider: RequestID.metadata)
        }
    }

    /// Writes one line. A line up to the size of a pipe's buffer is written whole or not at all, so the
    /// lines of threads do not mix. What cannot be written is lost: a daemon does not fail over its log.
    func write(
        level: Logger.Level, label: String, message: String, metadata: Logger.Metadata
    ) {
        let record = LogRecord(
            time: now(), level: level, label: label, message: message, metadata: metadata)
        var line = format.line(record)
        line += "\n"
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                } else if count == 0 || errno != EINTR {
                    return
                }
            }
        }
    }
}
