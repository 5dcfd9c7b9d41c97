import Foundation
import PosedBackend

/// The output of `bench --json`.
struct BenchReport: Encodable {
    /// One thing measured on one backend.
    struct Result: Encodable {
        let what: String
        let backend: String
        let dtype: String
        let medianMilliseconds: Double
        let leastMilliseconds: Double
        let runs: Int

        enum CodingKeys: String, CodingKey {
            case what, backend, dtype, runs
            case medianMilliseconds = "median_ms"
            case leastMilliseconds = "min_ms"
        }

        init(what: String, backend: String, dtype: String, timing: Stopwatch.Timing) {
            self.what = what
            self.backend = backend
            self.dtype = dtype
            medianMilliseconds = timing.median.rounded(to: 3)
            leastMilliseconds = timing.least.rounded(to: 3)
            runs = timing.runs
        }

        /// A line of the table.
        var line: String {
            let name = what.padding(toLength: max(28, what.count), withPad: " ", startingAt: 0)
            let place = "\(backend) \(dtype)".padding(toLength: 14, withPad: " ", startingAt: 0)
            let times = String(
                format: "%10.2f ms   min %10.2f ms", medianMilliseconds, leastMilliseconds)
            return "\(name) \(place) \(times)   \(runs) runs"
        }
    }

    /// A device that computed.
    struct Machine: Encodable {
        let backend: String
        let device: String
        let threads: Int
    }

    var results: [Result] = []
    var machines: [Machine] = []
    /// Seconds that loading (or making) and packing the weights took, by backend.
    var loadSeconds: [String: Double] = [:]
    /// The most memory that the process has had, in bytes.
    var peakResidentBytes = 0

    enum CodingKeys: String, CodingKey {
        case results, machines
        case loadSeconds = "load_seconds"
        case peakResidentBytes = "peak_rss_bytes"
    }

    /// Notes a device, once.
    mutating func note(_ device: Device) throws {
        let name = device.plugin.name
        guard !machines.contains(where: { $0.backend == name }) else { return }
        let info = try device.info()
        machines.append(Machine(backend: name, device: info.name, threads: info.threads))
    }

    /// The most resident memory that this process has had so far, in bytes; 0 if the system does not
    /// say.
    static func peakResidentBytes() -> Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first
                .flatMap({ Int($0) })
        else { return 0 }
        return kilobytes * 1024
    }
}
