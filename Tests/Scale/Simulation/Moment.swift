import Glibc

/// A point of simulated time.
package struct Moment: InstantProtocol, Sendable {
    /// Since the beginning.
    package var nanoseconds: Int64

    /// So many seconds after the beginning.
    package init(seconds: Double = 0) { nanoseconds = Int64(seconds * 1e9) }

    package func advanced(by duration: Duration) -> Moment {
        var moment = self
        let (seconds, attoseconds) = duration.components
        moment.nanoseconds += seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return moment
    }

    package func duration(to other: Moment) -> Duration {
        .nanoseconds(other.nanoseconds - nanoseconds)
    }

    package static func < (a: Moment, b: Moment) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Seconds since the beginning.
    package var seconds: Double { Double(nanoseconds) / 1e9 }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
package struct Chance: RandomNumberGenerator {
    private var state: UInt64

    /// The generator of a seed.
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A time to wait of that mean: exponential.
    mutating func wait(mean: Double) -> Double { -mean * log(1 - uniform()) }

    /// 1, 2, … of that mean: geometric.
    mutating func count(mean: Double) -> Int {
        1 + Int(log(1 - uniform()) / log(1 - 1 / max(mean, 1 + 1e-9)))
    }
}
