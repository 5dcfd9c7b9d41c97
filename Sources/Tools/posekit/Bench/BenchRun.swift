import Glibc
import PosedBackend
import PosedOptions
import PosedTensor

/// What is wanted of a bench on one placement, and what came of it.
final class BenchRun {
    /// The rows of batches.
    let batches: [Int]
    /// The placement, as results name it where several parts work together.
    let placement: String?
    private let patterns: [String]
    private let stopwatch: Stopwatch
    /// What was measured so far.
    private(set) var results: [BenchReport.Result] = []

    /// A run of everything that begins as one of `patterns` does; without patterns, of everything.
    ///
    /// - Parameter placement: The placement's name where the parts are not in one place.
    init(batches: [Int], patterns: [String], placement: String?, stopwatch: Stopwatch) {
        self.batches = batches
        self.patterns = patterns
        self.placement = placement
        self.stopwatch = stopwatch
    }

    /// Whether a measurement of that name is wanted: a pattern is a beginning, `*` any characters.
    func wants(_ name: String) -> Bool {
        patterns.isEmpty || patterns.contains { fnmatch($0 + "*", name, 0) == 0 }
    }

    /// Whether a measurement whose name begins so may be wanted.
    func mayWant(_ beginning: String) -> Bool {
        wants(beginning) || patterns.contains { $0.hasPrefix(beginning) }
    }

    /// Times `body` and notes the result.
    func measure(
        _ name: String, on compute: Compute, at place: String? = nil, _ body: () throws -> Void
    ) throws {
        let result = BenchReport.Result(
            what: name, backend: place ?? compute.device.plugin.name, dtype: compute.products.name,
            timing: try stopwatch.measure(body))
        results.append(result)
        Terminal.clearProgress()
        print(result.line)
    }

    /// Times two ways to do one thing, in turns, so that what disturbs the machine disturbs both.
    func compare(
        _ names: (String, String), on compute: Compute, _ first: () throws -> Void,
        _ second: () throws -> Void
    ) throws {
        let timings = try stopwatch.measure(first, second)
        for (name, timing) in [(names.0, timings.0), (names.1, timings.1)] {
            let result = BenchReport.Result(
                what: name, backend: placement ?? compute.device.plugin.name,
                dtype: compute.products.name, timing: timing)
            results.append(result)
            print(result.line)
        }
    }

    /// Numbers in [−1, 1), the same for the same count.
    static func noise(_ count: Int) -> [Float] {
        RandomWeights.values(count, seed: 1, center: 0, reach: 1)
    }
}

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
