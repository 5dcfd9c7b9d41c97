import Glibc

/// A time of day and date as people and files know it, in milliseconds since 1970 UTC.
///
/// It is shown and written down, and measures only how long the daemon was away; everything that
/// must not jump is measured by a `Clock`.
package struct WallTime: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z, from then to the end of the year 9999.
    package let milliseconds: Int64

    /// The last time that there is.
    package static let latest: Int64 = 253_402_300_799_999

    /// A time, brought into the range that there is.
    package init(milliseconds: Int64) {
        self.milliseconds = min(max(milliseconds, 0), Self.latest)
    }

    /// What the system's clock says.
    package static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The time `duration` later, in whole milliseconds.
    package func advanced(by duration: Duration) -> WallTime {
        let (sum, overflow) = milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
        guard !overflow else {
            return WallTime(milliseconds: duration < .zero ? 0 : Self.latest)
        }
        return WallTime(milliseconds: sum)
    }

    /// How much later `other` is; negative when it is earlier.
    package func duration(to other: WallTime) -> Duration {
        .milliseconds(other.milliseconds - milliseconds)
    }

    package static func < (left: WallTime, right: WallTime) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

extension Duration {
    /// Milliseconds, without fractions, and within the range of `Int64`.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (thousands, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carried) = thousands.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        guard !carried else { return seconds < 0 ? .min : .max }
        return sum
    }
}

extension WallTime {
    /// The time as in RFC 3339, in UTC and whole seconds: `2026-01-31T23:59:59Z`.
    package var text: String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int32, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = [(parts.tm_year + 1900, 4), (parts.tm_mon + 1, 2), (parts.tm_mday, 2)]
        let time = [(parts.tm_hour, 2), (parts.tm_min, 2), (parts.tm_sec, 2)]
        return date.map(padded).joined(separator: "-") + "T"
            + time.map(padded).joined(separator: ":") + "Z"
    }
}
