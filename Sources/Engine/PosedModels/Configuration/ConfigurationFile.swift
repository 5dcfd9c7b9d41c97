package import Foundation

/// A part's `config.json`. Values are asked for by key, with the default that the format's makers give a
/// missing key; `null` counts as missing.
///
/// Every refusal names the file, the key, what was expected and what came.
package struct ConfigurationFile: Sendable {
    /// What messages call the file.
    package let path: String
    private let values: [String: ConfigurationValue]

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
            values = try JSONDecoder().decode([String: ConfigurationValue].self, from: data)
        } catch {
            throw ModelError(.malformed, "\(path): a JSON object expected", cause: error)
        }
        self.path = path
    }

    /// The value of a key; nil when it is missing or `null`.
    func value(_ key: String) -> ConfigurationValue? {
        switch values[key] {
        case nil, .null: nil
        case .some(let value): value
        }
    }

    /// An error about one key.
    func refusal(
        _ code: ModelError.Code, _ key: String, _ expected: String
    ) -> ModelError {
        let actual = value(key).map { "it is \($0.text)" } ?? "it is missing"
        return ModelError(code, "\(path): \"\(key)\" \(expected), but \(actual)")
    }
}
