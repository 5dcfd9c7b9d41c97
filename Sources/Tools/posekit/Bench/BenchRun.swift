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
