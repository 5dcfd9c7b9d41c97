import Foundation
import PosedBase

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
