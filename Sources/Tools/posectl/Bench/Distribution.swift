/// How numbers are distributed.
package struct Distribution: Encodable, Equatable, Sendable {
    package let count: Int
    package let mean: Double
    /// The standard deviation.
    package let deviation: Double
    package let p50: Double
    package let p90: Double
    package let p99: Double
    package let max: Double

    /// The distribution of these numbers; zeros if there are none.
    package init(_ numbers: [Double]) {
        let sorted = numbers.sorted()
        count = sorted.count
        let mean = sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count)
        self.mean = mean
        let squares = sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = sorted.isEmpty ? 0 : (squares / Double(sorted.count)).squareRoot()
        p50 = Self.percentile(50, of: sorted)
        p90 = Self.percentile(90, of: sorted)
        p99 = Self.percentile(99, of: sorted)
        max = sorted.last ?? 0
    }

    /// The smallest number that so many per cent do not exceed.
    static func percentile(_ percent: Int, of sorted: [Double]) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let rank = (sorted.count * percent + 99) / 100
        return sorted[Swift.max(rank, 1) - 1]
    }

    /// In milliseconds, on one line.
    package var summary: String {
        guard count > 0 else { return "–" }
        let parts = [("p50", p50), ("p90", p90), ("p99", p99), ("max", max)]
        return parts.map { "\($0.0) \(Text.milliseconds($0.1))" }.joined(separator: ", ")
    }
}
