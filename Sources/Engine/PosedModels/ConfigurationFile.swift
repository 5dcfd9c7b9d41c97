package import Foundation
import PosedBase
package import PosedTensor

/// A part's `config.json`. Values are asked for by key, with the default that the format's makers give a
/// missing key; `null` counts as missing.
///
/// Every refusal names the file, the key, what was expected and what came.
package struct ConfigurationFile: Sendable {
    /// The name of the file in messages.
    package let path: String
    private let values: JSONValue

    /// The largest file that is read, in bytes.
    private static let limit = 1 << 20

    /// Reads `config.json` of a part's folder.
    ///
    /// - Throws: `ModelError` `.unreadable` when there is no such file, `.malformed` when it is not a JSON
    ///   object.
    package init(folder: String) throws(ModelError) {
        let path = folder.hasSuffix("/") ? folder + "config.json" : folder + "/config.json"
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ModelError(.unreadable, "\(path): cannot be read", cause: error)
        }
        try self.init(data, path: path)
    }

    /// Reads a configuration out of memory.
    ///
    /// - Throws: `ModelError` `.malformed` when it is not a JSON object.
    package init(_ data: Data, path: String) throws(ModelError) {
        guard data.count <= Self.limit else {
            throw ModelError(
                .malformed,
                "\(path): at most \(Self.limit) bytes expected, but it has \(data.count)")
        }
        do {
            values = try JSONValue(parsing: data)
        } catch {
            throw ModelError(.malformed, "\(path): no valid JSON \(error)", cause: error)
        }
        guard case .object = values else {
            throw ModelError(
                .malformed, "\(path): a JSON object expected, but it is \(values.kind)")
        }
        self.path = path
    }

    /// The value of a key; nil when it is missing or `null`.
    func value(_ key: String) -> JSONValue? {
        switch values[key] {
        case nil, .null: nil
        case .some(let value): value
        }
    }

    /// Whether the value of a key is a list.
    func isList(_ key: String) -> Bool { value(key)?.elements != nil }

    /// An error about one key.
    func refusal(
        _ code: ModelError.Code, _ key: String, _ expected: String
    ) -> ModelError {
        let actual = value(key).map { "it is \($0.brief)" } ?? "it is missing"
        return ModelError(code, "\(path): \"\(key)\" \(expected), but \(actual)")
    }
}

extension ConfigurationFile {
    /// A whole number within bounds.
    ///
    /// - Parameter fallback: The value of a missing key; nil: the key is required.
    /// - Throws: `ModelError` `.malformed`.
    package func integer(
        _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>
    ) throws(ModelError) -> Int {
        guard let value = value(key) else { return try missing(key, fallback) }
        guard let number = value.integer, range.contains(number) else {
            throw refusal(
                .malformed, key,
                "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A finite number within bounds.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func number(
        _ key: String, default fallback: Double? = nil, in range: ClosedRange<Double>
    ) throws(ModelError) -> Double {
        guard let value = value(key) else { return try missing(key, fallback) }
        guard let number = value.double, range.contains(number) else {
            throw refusal(
                .malformed, key, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A truth value.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func bool(_ key: String, default fallback: Bool? = nil) throws(ModelError) -> Bool {
        guard let value = value(key) else { return try missing(key, fallback) }
        guard case .bool(let flag) = value else {
            throw refusal(.malformed, key, "must be true or false")
        }
        return flag
    }

    /// A text.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func string(_ key: String, default fallback: String? = nil) throws(ModelError) -> String
    {
        guard let value = value(key) else { return try missing(key, fallback) }
        guard case .string(let text) = value else {
            throw refusal(.malformed, key, "must be a text")
        }
        return text
    }

    /// A list of whole numbers within bounds; of 1 to 16 elements.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func integers(
        _ key: String, default fallback: [Int]? = nil, in range: ClosedRange<Int>
    ) throws(ModelError) -> [Int] {
        guard let value = value(key) else { return try missing(key, fallback) }
        let expected =
            "must be a list of 1 to 16 whole numbers from \(range.lowerBound) to \(range.upperBound)"
        guard case .array(let elements) = value, (1...16).contains(elements.count) else {
            throw refusal(.malformed, key, expected)
        }
        var numbers: [Int] = []
        for element in elements {
            guard let number = element.integer, range.contains(number) else {
                throw refusal(.malformed, key, expected)
            }
            numbers.append(number)
        }
        return numbers
    }

    /// A list of numbers within bounds; nil when the key is missing.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func numbers(
        _ key: String, in range: ClosedRange<Double>
    ) throws(ModelError) -> [Double]? {
        guard let value = value(key) else { return nil }
        let expected =
            "must be a list of numbers from \(range.lowerBound) to \(range.upperBound)"
        guard case .array(let elements) = value else { throw refusal(.malformed, key, expected) }
        var numbers: [Double] = []
        for element in elements {
            guard let number = element.double, range.contains(number) else {
                throw refusal(.malformed, key, expected)
            }
            numbers.append(number)
        }
        return numbers
    }

    /// A list of texts.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func strings(
        _ key: String, default fallback: [String]? = nil
    ) throws(ModelError) -> [String] {
        guard let value = value(key) else { return try missing(key, fallback) }
        guard case .array(let elements) = value else {
            throw refusal(.malformed, key, "must be a list of texts")
        }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else {
                throw refusal(.malformed, key, "must be a list of texts")
            }
            texts.append(text)
        }
        return texts
    }

    /// A side in pixels, given as a number or as two equal ones.
    ///
    /// - Throws: `ModelError` `.malformed`, or `.unsupported` for two that differ.
    package func side(
        _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>
    ) throws(ModelError) -> Int {
        guard isList(key) else {
            return try integer(key, default: fallback, in: range)
        }
        let sides = try integers(key, in: range)
        guard sides.count == 2, sides[0] == sides[1] else {
            throw refusal(.unsupported, key, "must be one number or two equal ones")
        }
        return sides[0]
    }

    /// Checks that a key is missing or null.
    ///
    /// - Throws: `ModelError` `.unsupported`.
    package func absent(_ key: String) throws(ModelError) {
        if value(key) != nil { throw refusal(.unsupported, key, "must be null") }
    }

    private func missing<T>(_ key: String, _ fallback: T?) throws(ModelError) -> T {
        if let fallback { return fallback }
        throw refusal(.malformed, key, "is required")
    }
}

extension ConfigurationFile {
    /// A nonlinearity by the name that diffusers and transformers give it.
    ///
    /// - Throws: `ModelError` `.unsupported` for one that is not known here.
    package func activation(_ key: String, default fallback: String) throws(ModelError)
        -> Activation
    {
        switch try string(key, default: fallback) {
        case "relu": return .relu
        case "silu", "swish": return .silu
        case "gelu": return .gelu
        case "gelu_new", "gelu_pytorch_tanh": return .geluTanh
        default:
            throw refusal(.unsupported, key, "must be relu, silu, gelu or gelu_pytorch_tanh")
        }
    }
}
