internal import Glibc

/// A reading of `CLOCK_MONOTONIC` in whole microseconds, the clock that systemd compares with its own.
package struct MonotonicMicroseconds: RawRepresentable, Hashable, Sendable {
    /// Microseconds since a moment that the kernel chose at boot.
    package let rawValue: UInt64

    /// A given reading.
    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The clock, read now.
    package static func now() -> MonotonicMicroseconds {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicMicroseconds(
            rawValue: UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000)
    }
}

extension Duration {
    /// Whole microseconds, rounded down; the largest `Int64` where there are more.
    var microseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? .max : scaled + attoseconds / 1_000_000_000_000
    }
}
