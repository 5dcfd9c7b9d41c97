import Foundation
import SwiftProtobuf

/// What scripts read.
package enum JSON {
    /// Prints a message with the names of its .proto file: int64 as strings, durations as `1.5s`.
    static func show(_ message: some Message) throws {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        print(try message.jsonString(options: options))
    }

    /// Prints a report of the command's own.
    static func show(_ report: some Encodable) throws {
        print(try text(report))
    }

    /// A report of the command's own: keys sorted and in snake case.
    package static func text(_ report: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}
