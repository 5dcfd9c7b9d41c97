import Foundation

/// What an evaluation has measured, a line of JSON for each pair, in a file beside its report: an evaluation that was
/// interrupted goes on with it.
package final class EvaluationJournal {
    /// The file's path.
    package let path: String
    private let file: FileHandle

    /// The first line: what the results are of.
    private struct Heading: Codable, Equatable {
        let settings: [String: Setting]
    }

    /// Opens the journal of a report, and begins it where there is none.
    ///
    /// What a line holds that was cut when its writer ended is measured again.
    ///
    /// - Parameters:
    ///   - settings: All that results depend on.
    ///   - found: Takes each result that is there already, in the file's order.
    /// - Throws: `EvaluationError` `.unreadableData` for a file of other settings or with other contents,
    ///   `.unwritableFile` where it cannot be written; what `found` throws.
    package init(
        report: String, settings: [String: Setting], found: (PairResult) throws -> Void
    ) throws {
        path = report + ".partial"
        let isThere = FileManager.default.fileExists(atPath: path)
        guard isThere || FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forUpdatingAtPath: path)
        else {
            throw EvaluationError(.unwritableFile, "\(path): the results cannot be written")
        }
        self.file = file
        // Written and read, a number such as 2.0 is a whole one.
        let heading = try JSONDecoder().decode(
            Heading.self, from: JSONEncoder().encode(Heading(settings: settings)))
        let end = try read(heading, found)
        do {
            try file.truncate(atOffset: end)
            try file.seekToEnd()
        } catch {
            throw EvaluationError(
                .unwritableFile, "\(path): the results cannot be written", cause: error)
        }
        if end == 0 { try write(heading) }
    }

    /// Notes a result.
    ///
    /// - Throws: `EvaluationError` `.unwritableFile`.
    package func append(_ result: PairResult) throws { try write(result) }

    /// Ends the journal: its report is written.
    package func remove() {
        try? file.close()
        try? FileManager.default.removeItem(atPath: path)
    }

    private func write(_ value: some Encodable) throws {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            encoder.nonConformingFloatEncodingStrategy = Self.floats.encoding
            try file.write(contentsOf: try encoder.encode(value) + [UInt8(ascii: "\n")])
        } catch {
            throw EvaluationError(
                .unwritableFile, "\(path): the results cannot be written", cause: error)
        }
    }

    /// Reads all whole lines; returns where the last of them ends.
    private func read(_ heading: Heading, _ found: (PairResult) throws -> Void) throws -> UInt64 {
        var (rest, end, number) = (Data(), UInt64(0), 0)
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = Self.floats.decoding
        while let part = try? file.read(upToCount: 4 << 20), !part.isEmpty {
            rest.append(part)
            while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = rest[..<newline]
                number += 1
                end += UInt64(line.count) + 1
                do {
                    if number == 1 {
                        try check(try decoder.decode(Heading.self, from: line), heading)
                    } else {
                        try found(try decoder.decode(PairResult.self, from: line))
                    }
                } catch let error as DecodingError {
                    throw EvaluationError(
                        .unreadableData,
                        "\(path), line \(number): a result of posekit eval expected; without the file all "
                            + "pairs are measured anew", cause: error)
                }
                rest = rest[rest.index(after: newline)...]
            }
            rest = Data(rest)
        }
        return end
    }

    private func check(_ there: Heading, _ wanted: Heading) throws {
        guard there != wanted else { return }
        let keys = Set(there.settings.keys).union(wanted.settings.keys).sorted()
        let key = keys.first { there.settings[$0] != wanted.settings[$0] } ?? "settings"
        throw EvaluationError(
            .unreadableData,
            "\(path): an interrupted evaluation with another \(key) left this; without the file all pairs are "
                + "measured anew")
    }

    private static let floats:
        (
            encoding: JSONEncoder.NonConformingFloatEncodingStrategy,
            decoding: JSONDecoder.NonConformingFloatDecodingStrategy
        ) = (
            .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan"),
            .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        )
}
