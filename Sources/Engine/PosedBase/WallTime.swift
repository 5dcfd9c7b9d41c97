internal import Glibc

/// A moment of the calendar as people and files know it, in microseconds since 1970 in UTC.
///
/// It is shown and written down, and measures only how long the daemon was away; everything that
/// must not jump is measured by a `Clock`.
package struct WallTime: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Microseconds since the beginning of 1970.
    package let microseconds: Int64

    /// The last moment of the year 9999 that is written in milliseconds.
    package static let latest = WallTime(microseconds: 253_402_300_799_999_000)

    /// A given moment.
    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// A moment from 1970 to `latest`; others are brought into that range.
    package init(milliseconds: Int64) {
        microseconds = min(max(milliseconds, 0), Self.latest.milliseconds) * 1000
    }

    /// The moment now.
    package static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(
            microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    /// Whole milliseconds since the beginning of 1970.
    package var milliseconds: Int64 { microseconds / 1000 }

    /// Seconds since the beginning of 1970.
    package var seconds: Double { Double(microseconds) / 1e6 }

    /// The moment `duration` later, in whole milliseconds, from 1970 to `latest`.
    package func advanced(by duration: Duration) -> WallTime {
        let (sum, overflow) = milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
        if overflow { return duration < .zero ? WallTime(milliseconds: 0) : Self.latest }
        return WallTime(milliseconds: sum)
    }

    /// How much later `other` is; negative when it is earlier.
    package func duration(to other: WallTime) -> Duration {
        .microseconds(other.microseconds - microseconds)
    }

    package static func < (left: WallTime, right: WallTime) -> Bool {
        left.microseconds < right.microseconds
    }

    /// As in RFC 3339, in UTC, with microseconds: `2026-01-31T23:59:59.000001Z`.
    package var description: String {
        let (whole, fraction) = parts
        return "\(Self.text(whole)).\(Self.padded(Int(fraction), 6))Z"
    }

    /// As in RFC 3339, in UTC and whole seconds: `2026-01-31T23:59:59Z`.
    package var text: String { Self.text(parts.whole) + "Z" }

    /// Whole seconds, and the microseconds after them.
    private var parts: (whole: Int64, fraction: Int64) {
        let (whole, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return fraction < 0 ? (whole - 1, fraction + 1_000_000) : (whole, fraction)
    }

    private static func text(_ seconds: Int64) -> String {
        var clock = time_t(seconds)
        var fields = tm()
        gmtime_r(&clock, &fields)
        let date = [(fields.tm_year + 1900, 4), (fields.tm_mon + 1, 2), (fields.tm_mday, 2)]
        let time = [(fields.tm_hour, 2), (fields.tm_min, 2), (fields.tm_sec, 2)]
        return date.map { padded(Int($0), $1) }.joined(separator: "-") + "T"
            + time.map { padded(Int($0), $1) }.joined(separator: ":")
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Duration {
    /// Whole units, of which a second has so many, without fractions, and within the range of `Int64`.
    package func units(perSecond count: Int64) -> Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: count)
        let (sum, carried) = product.addingReportingOverflow(
            attoseconds / (1_000_000_000_000_000_000 / count))
        guard !overflow, !carried else { return seconds < 0 ? .min : .max }
        return sum
    }

    /// Whole milliseconds, within the range of `Int64`.
    package var wholeMilliseconds: Int64 { units(perSecond: 1000) }
}
