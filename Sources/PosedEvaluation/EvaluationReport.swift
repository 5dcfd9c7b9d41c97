import Foundation

/// The summary of an evaluation, as `eval --json` writes it.
package struct EvaluationReport: Codable, Equatable, Sendable {
    /// How many pairs were measured.
    package let pairs: Int
    /// How the pictures were made.
    package let settings: [String: Setting]
    /// Means over the pairs (or measures of the sets), by metric and subject.
    package private(set) var metrics: [String: [String: Double]]

    /// The means of what was measured; a pair without a measure does not count in its mean.
    package init(_ scores: [PairScores], settings: [String: Setting] = [:]) {
        pairs = scores.count
        self.settings = settings
        metrics = [:]
        for metric in Metric.allCases {
            for subject in Subject.allCases {
                let values = scores.compactMap { $0.values[metric]?[subject] }.filter(\.isFinite)
                guard !values.isEmpty else { continue }
                record(metric, subject, values.reduce(0, +) / Double(values.count))
            }
        }
    }

    /// Notes a measure of whole sets, such as the Fréchet distance. Values that are not finite have
    /// no place in JSON and are left out.
    package mutating func record(_ metric: Metric, _ subject: Subject, _ value: Double) {
        guard value.isFinite else { return }
        metrics[metric.rawValue, default: [:]][subject.rawValue] = value
    }

    /// Writes the report as JSON, whole or not at all. Throws `unwritableFile`.
    package func write(to path: String) throws {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            var data = try encoder.encode(self)
            data.append(UInt8(ascii: "\n"))
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw EvaluationError(
                .unwritableFile, "\(path): the report cannot be written", cause: error)
        }
    }
}
