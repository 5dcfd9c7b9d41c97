import Foundation
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

/// A value among the settings of a report: text, a number, or yes and no.
package enum Setting: Codable, Equatable, Sendable {
    /// Text.
    case text(String)
    /// A whole number.
    case integer(Int)
    /// Any other number.
    case number(Double)
    /// Yes or no.
    case flag(Bool)

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .flag(let value): try container.encode(value)
        }
    }
}

/// The measures of one pair of an evaluation.
package struct PairScores: Equatable, Codable, Sendable {
    /// The source picture, as the data set names it.
    package let source: String
    /// The target picture, as the data set names it.
    package let target: String
    /// What was measured, by metric and subject.
    package private(set) var values: [Metric: [Subject: Double]] = [:]

    /// The scores of a pair that has none yet.
    package init(source: String, target: String) {
        self.source = source
        self.target = target
    }

    /// Measures a picture against the target: SSIM, PSNR and the shares of gradient and detail, and all of them
    /// inside the mask if the pair has one. Throws `pictureTooSmall`.
    package mutating func measure(_ pair: ImagePair, as subject: Subject) throws {
        let ssim = try SSIM(pair)
        record(.ssim, subject, ssim.value)
        record(.psnr, subject, PSNR.value(pair))
        for (metric, value) in Sharpness.ratios(pair) { record(metric, subject, value) }
        if let value = ssim.maskedValue { record(.ssimMask, subject, value) }
        if let value = PSNR.maskedValue(pair) { record(.psnrMask, subject, value) }
    }

    /// Notes a value measured elsewhere; PSNR is held below `PSNR.reportCeiling`, for JSON and means
    /// know no infinity.
    package mutating func record(_ metric: Metric, _ subject: Subject, _ value: Double) {
        let isRatio = metric == .psnr || metric == .psnrMask
        values[metric, default: [:]][subject] =
            isRatio ? min(value, PSNR.reportCeiling) : value
    }
}

/// Scores pair by pair, as CSV: a header, then a row for each pair.
package struct ScoreTable: Sendable {
    private let scores: [PairScores]
    private let columns: [(metric: Metric, subject: Subject)]

    /// A table of the given rows; it has a column for whatever at least one of them measured.
    package init(_ scores: [PairScores]) {
        self.scores = scores
        columns = Metric.allCases.flatMap { metric in
            Subject.allCases.map { (metric, $0) }
        }.filter { column in
            scores.contains { $0.values[column.0]?[column.1] != nil }
        }
    }

    /// The table as RFC 4180 has it, with LF line ends; columns are called `ssim_output` and so on.
    package var csv: String {
        let names = columns.map { "\($0.metric.rawValue)_\($0.subject.rawValue)" }
        var lines = [["source", "target"] + names]
        for row in scores {
            let values = columns.map { column in
                row.values[column.metric]?[column.subject].map { String($0) } ?? ""
            }
            lines.append([row.source, row.target] + values)
        }
        return lines.map { $0.map(ScoreTable.quoted).joined(separator: ",") + "\n" }.joined()
    }

    /// Writes the table, whole or not at all. Throws `unwritableFile`.
    package func write(to path: String) throws {
        do {
            try WholeFile.write(Data(csv.utf8), to: path)
        } catch {
            throw EvaluationError(
                .unwritableFile, "\(path): the table cannot be written: \(error)", cause: error)
        }
    }

    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else {
            return field
        }
        return "\""
            + field.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}
