/// Times repeated work: warm-up first, then as many runs as the time allows.
struct Stopwatch {
    /// What the runs of one thing came to, in milliseconds.
    struct Timing {
        let median: Double
        let least: Double
        let runs: Int
    }

    /// Seconds for one thing, warm-up apart.
    var seconds: Double
    /// Exactly so many runs instead.
    var runs: Int?

    /// Fewest and most runs within `seconds`; work so long that the fewest would take three times
    /// that is content with three.
    private static let fewest = 5
    private static let most = 50

    /// Times `body`, which is done when it returns.
    func measure(_ body: () throws -> Void) rethrows -> Timing {
        let first = try time(body)
        if first < seconds * 1000 { _ = try time(body) }
        var times: [Double] = []
        let start = ContinuousClock.now
        while !isEnough(times.count, (ContinuousClock.now - start).milliseconds / 1000) {
            times.append(try time(body))
        }
        return Stopwatch.timing(times)
    }

    /// Times two bodies in turns, each for its share of the time.
    func measure(
        _ first: () throws -> Void, _ second: () throws -> Void
    ) rethrows -> (Timing, Timing) {
        _ = try (time(first), time(second))
        var times: ([Double], [Double]) = ([], [])
        let start = ContinuousClock.now
        while !isEnough(times.0.count, (ContinuousClock.now - start).milliseconds / 2000) {
            times.0.append(try time(first))
            times.1.append(try time(second))
        }
        return (Stopwatch.timing(times.0), Stopwatch.timing(times.1))
    }

    private func isEnough(_ count: Int, _ elapsed: Double) -> Bool {
        if let runs { return count >= runs }
        if count >= Self.most { return true }
        return elapsed >= seconds && (count >= Self.fewest || count >= 3 && elapsed >= 3 * seconds)
    }

    private func time(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start).milliseconds
    }

    private static func timing(_ times: [Double]) -> Timing {
        let sorted = times.sorted()
        let middle = sorted.count / 2
        let median =
            sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        return Timing(median: median, least: sorted[0], runs: sorted.count)
    }
}
