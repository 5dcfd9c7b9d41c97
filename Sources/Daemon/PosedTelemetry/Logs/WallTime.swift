internal import Glibc

/// A moment of the calendar, in microseconds since 1970 in UTC.
package struct WallTime: Hashable, Sendable, CustomStringConvertible {
    /// Microseconds since the beginning of 1970.
    package let microseconds: Int64

    /// A given moment.
    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The moment now.
    package static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(
            microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    /// Seconds since the beginning of 1970.
    package var seconds: Double { Double(microseconds) / 1e6 }

    /// As in RFC 3339, in UTC, with microseconds.
    package var description: String {
        var whole = microseconds / 1_000_000
        var fraction = microseconds % 1_000_000
        if fraction < 0 {
            whole -= 1
            fraction += 1_000_000
        }
        var clock = time_t(whole)
        var fields = tm()
        gmtime_r(&clock, &fields)
        func pad(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date =
            "\(pad(Int(fields.tm_year) + 1900, 4))-\(pad(Int(fields.tm_mon) + 1, 2))"
            + "-\(pad(Int(fields.tm_mday), 2))"
        let time =
            "\(pad(Int(fields.tm_hour), 2)):\(pad(Int(fields.tm_min), 2))"
            + ":\(pad(Int(fields.tm_sec), 2)).\(pad(Int(fraction), 6))"
        return "\(date)T\(time)Z"
    }
}
