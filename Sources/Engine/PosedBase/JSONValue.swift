package import Foundation

/// A JSON value: one value and nothing after it, no duplicate keys, no lone surrogates, bounded nesting.
/// Objects keep the order of their members.
///
/// The numbers `NaN`, `Infinity` and `-Infinity`, which Python writes, are read where they are asked for: an
/// error that speaks of the number helps more than one that speaks of JSON.
package enum JSONValue: Sendable {
    case object([(key: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    /// A number written without fraction or exponent that fits an `Int`.
    case integer(Int)
    /// Any other number.
    case number(Double)
    case bool(Bool)
    case null

    /// Why a text is not acceptable JSON, and where.
    package struct Fault: Error, CustomStringConvertible {
        /// What was expected, or what is wrong.
        package let message: String
        /// Bytes before the place.
        package let offset: Int

        /// The fault and its place.
        package var description: String { "at byte \(offset): \(message)" }
    }

    /// Reads a whole text.
    ///
    /// - Parameters:
    ///   - maxDepth: Values within values at most.
    ///   - allowsNonFinite: Whether `NaN`, `Infinity` and `-Infinity` are numbers.
    package init(
        parsing bytes: UnsafeRawBufferPointer, maxDepth: Int = 32, allowsNonFinite: Bool = false
    ) throws(Fault) {
        var reader = JSONReader(
            bytes: bytes, maxDepth: maxDepth, allowsNonFinite: allowsNonFinite)
        self = try reader.document()
    }

    /// Reads a whole text.
    package init(
        parsing data: Data, maxDepth: Int = 32, allowsNonFinite: Bool = false
    ) throws(Fault) {
        let result = data.withUnsafeBytes { bytes in
            Result { () throws(Fault) -> JSONValue in
                try JSONValue(
                    parsing: bytes, maxDepth: maxDepth, allowsNonFinite: allowsNonFinite)
            }
        }
        self = try result.get()
    }

    /// The value under a key; nil where this is no object, or one without it.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// The elements, if this is an array.
    package var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The number, if this is one.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The whole number, if this is one, however it is written.
    package var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The string, if this is one.
    package var text: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    /// Whether this is `null`.
    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The kind of value, for messages.
    package var kind: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .integer: "an integer"
        case .number: "a number that is no integer"
        case .bool: "a boolean"
        case .null: "null"
        }
    }

    /// The value itself in a message; a long one is cut.
    package var brief: String {
        switch self {
        case .null: return "null"
        case .bool(let value): return "\(value)"
        case .integer(let value): return "\(value)"
        case .number(let value): return "\(value)"
        case .string(let value): return value.quoted(limit: 80)
        case .array(let values):
            let shown = values.prefix(8).map(\.brief).joined(separator: ", ")
            return values.count > 8 ? "[\(shown), …]" : "[\(shown)]"
        case .object: return "an object"
        }
    }
}

extension JSONValue: Decodable {
    /// A value inside of what a `Decoder` reads.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            let members = try container.decode([String: JSONValue].self)
            self = .object(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
    }
}

extension String {
    /// The text in quotes, for a message: control characters escaped, a long text cut.
    package func quoted(limit: Int = 120) -> String {
        let cut = unicodeScalars.count > limit
        var text = "\""
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                text.unicodeScalars.append(scalar)
            }
        }
        return text + (cut ? "…\"" : "\"")
    }
}
