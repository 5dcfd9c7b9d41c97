import Foundation

/// Reads a method from a JSON file:
///
///     {"name": "heun", "order": 2, "c": [0, 1], "a": [[], [1]], "b": [0.5, 0.5]}
///
/// `a` has a row a stage: its coefficients below the diagonal, or all of them with zeros from the
/// diagonal on. `b_error` (b minus the embedded method's b) makes the method adaptive.
enum TableauFile {
    private struct Content: Decodable {
        let name: String
        let order: Int
        let c: [Double]
        let a: [[Double]]
        let b: [Double]
        let bError: [Double]?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, order, c, a, b
            case bError = "b_error"
        }
    }

    /// The longest file that is read, in bytes.
    private static let maxLength = 1_000_000

    /// Throws `unreadable` if the file cannot be read or is not such an object, `invalidTableau` if
    /// its numbers are no method; the message names the file.
    static func read(_ path: String) throws(SolverError) -> ButcherTableau {
        let content = try content(of: path)
        let a = content.a.enumerated().map { index, row in
            // A full row with zeros from the diagonal on is cut to what is below it.
            row.count == content.b.count && row.dropFirst(index).allSatisfy { $0 == 0 }
                ? Array(row.prefix(index)) : row
        }
        do {
            return try ButcherTableau(
                name: content.name, order: content.order, c: content.c, a: a, b: content.b,
                bError: content.bError)
        } catch {
            throw SolverError(error.code, "\(path): \(error.message)", cause: error)
        }
    }

    private static func content(of path: String) throws(SolverError) -> Content {
        let data: Data
        do {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
            guard attributes[.type] as? FileAttributeType == .typeRegular,
                let size = attributes[.size] as? NSNumber, size.intValue <= maxLength
            else {
                throw SolverError(
                    .unreadable, "\(path): a regular file of at most \(maxLength) bytes expected")
            }
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch let error as SolverError {
            throw error
        } catch {
            throw SolverError(.unreadable, "\(path): cannot be read", cause: error)
        }
        do {
            try checkKeys(JSONSerialization.jsonObject(with: data), path)
            return try JSONDecoder().decode(Content.self, from: data)
        } catch let error as SolverError {
            throw error
        } catch {
            throw SolverError(.unreadable, "\(path): \(text(error))", cause: error)
        }
    }

    /// A misspelt key must not pass for one left out.
    private static func checkKeys(_ json: Any, _ path: String) throws(SolverError) {
        guard let object = json as? [String: Any] else {
            throw SolverError(.unreadable, "\(path): a JSON object expected")
        }
        let known = Content.CodingKeys.allCases.map(\.rawValue)
        if let key = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw SolverError(
                .unreadable,
                "\(path): unknown key \(key.prefix(80).debugDescription); there are "
                    + known.joined(separator: ", "))
        }
    }

    private static func text(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined()
        }
        switch error {
        case DecodingError.keyNotFound(let key, _): return "the key \(key.stringValue) is missing"
        case DecodingError.typeMismatch(let type, let context),
            DecodingError.valueNotFound(let type, let context):
            return "\(place(context.codingPath)): \(name(type)) expected"
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "\(place(context.codingPath)): \(context.debugDescription)"
        default: return "no valid JSON"
        }
    }

    private static func name(_ type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Int.Type: "an integer"
        case is Double.Type: "a number"
        default: "an array"
        }
    }
}
