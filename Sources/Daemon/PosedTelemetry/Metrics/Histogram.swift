internal import PosedGuarded

/// Counts of values by size, in buckets that were fixed when the metric was made.
package final class Histogram: Instrument {
    private struct State {
        /// Values in each bucket alone; the last is above every bound.
        var counts: [UInt64]
        var sum = 0.0
    }

    /// The upper bounds of the buckets, rising; above the last there is one more.
    package let bounds: [Double]
    private let state: Guarded<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        self.state = Guarded(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// Counts a value. One that is no number is ignored.
    package func observe(_ value: Double) {
        guard !value.isNaN else { return }
        // The lock is held for two additions, which makes count, sum and buckets agree at every scrape.
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    /// Counts a duration, in seconds.
    package func observe(_ duration: Duration) {
        observe(duration / .seconds(1))
    }

    /// How many values there were.
    package var count: UInt64 { state.withLock { $0.counts.reduce(0, +) } }

    /// Their sum.
    package var sum: Double { state.withLock { $0.sum } }

    package func write(
        to page: inout Exposition, name: String, labels: [(name: String, value: String)]
    ) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        var below: UInt64 = 0
        for (count, bound) in zip(counts, bounds + [.infinity]) {
            below += count
            let bucket = labels + [(name: "le", value: Exposition.number(bound))]
            page.sample(name + "_bucket", bucket, Double(below))
        }
        page.sample(name + "_sum", labels, sum)
        page.sample(name + "_count", labels, Double(below))
    }
}

extension Histogram {
    /// Bounds of times from a tenth of a millisecond to two minutes, in seconds.
    package static let seconds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15,
        0.25,
        0.5, 1, 2.5, 5, 10, 30, 60, 120,
    ]

    /// Bounds of numbers of rows.
    package static let rows: [Double] = [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64]
}
