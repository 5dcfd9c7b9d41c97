import PosedBase

/// The summary of an evaluation, as `eval --json` writes it.
package struct EvaluationReport: Codable, Equatable, Sendable {
    /// How many pairs were measured.
    package let pairs: Int
    /// The pairs that could not be measured.
    package let failed: [Failure]
    /// How the pictures were made.
    package let settings: [String: Setting]
    /// Means over the pairs (or measures of the sets), by metric and subject.
    package private(set) var metrics: [String: [String: Double]]

    /// A pair that could not be measured.
    package struct Failure: Codable, Equatable, Sendable {
        /// The source picture, as the data set names it.
        package let source: String
        /// The target picture, as the data set names it.
        package let target: String
        /// Why, in one sentence.
        package let error: String

        /// A failure as given.
        package init(source: String, target: String, error: String) {
            self.source = source
            self.target = target
            self.error = error
        }
    }

    /// The means of what was measured; a pair without a measure does not count in its mean.
    package init(
        _ scores: [PairScores], failed: [Failure] = [], settings: [String: Setting] = [:]
    ) {
        pairs = scores.count
        self.failed = failed
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
            try WholeFile.write(json: self, to: path)
        } catch {
            throw EvaluationError(
                .unwritableFile, "\(path): the report cannot be written: \(error)", cause: error)
        }
    }
}
