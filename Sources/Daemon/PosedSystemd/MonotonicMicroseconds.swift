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
