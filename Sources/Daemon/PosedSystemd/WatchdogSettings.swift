internal import Glibc

/// What the service manager's watchdog expects of this process.
package struct WatchdogSettings: Hashable, Sendable {
    /// The longest time between two signs of life, after which the manager kills the service.
    package let interval: Duration

    /// A watchdog of a given interval.
    package init(interval: Duration) {
        self.interval = interval
    }

    /// The watchdog that `WATCHDOG_USEC` and `WATCHDOG_PID` describe; nil where there is none, or where it
    /// is meant for another process.
    ///
    /// - Throws: ``SystemdError`` for values that systemd never sets.
    package init?(
        environment: [String: String], process: Int32 = getpid()
    ) throws(SystemdError) {
        guard let text = environment["WATCHDOG_USEC"] else { return nil }
        if let owner = environment["WATCHDOG_PID"] {
            guard let pid = Int32(owner), pid > 0 else {
                throw SystemdError(
                    .invalidEnvironment,
                    "WATCHDOG_PID should be a process's number; it is '\(owner)'")
            }
            guard pid == process else { return nil }
        }
        guard let microseconds = UInt64(text), microseconds > 0, microseconds < UInt64(Int64.max)
        else {
            throw SystemdError(
                .invalidEnvironment,
                "WATCHDOG_USEC should be a positive number of microseconds; it is '\(text)'")
        }
        interval = .microseconds(Int64(microseconds))
    }

    /// How often to look for a sign of life: four times an interval, so that one late look costs nothing.
    package var period: Duration { interval / 4 }
}
