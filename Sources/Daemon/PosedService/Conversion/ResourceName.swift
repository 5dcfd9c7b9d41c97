package import PosedErrors

/// Names of things, `collection/id`.
package enum ResourceName {
    /// The longest id.
    private static let maxCharacters = 128

    /// A session's name at `path`. Throws `RequestError`.
    package static func session(_ name: String, at path: FieldPath) throws -> String {
        try checked(name, collection: "sessions", at: path)
    }

    /// A model's name at `path`; nil where it is empty. Throws `RequestError`.
    package static func model(_ name: String, at path: FieldPath) throws -> String? {
        name.isEmpty ? nil : try checked(name, collection: "models", at: path)
    }

    /// Whether there is such a thing is for others to say; this is about its form.
    static func checked(
        _ name: String, collection: String, at path: FieldPath
    ) throws -> String {
        let id = name.hasPrefix(collection + "/") ? name.dropFirst(collection.count + 1) : ""
        let isSound = id.unicodeScalars.allSatisfy {
            $0 != "/" && $0.properties.generalCategory != .control
        }
        guard !id.isEmpty, id.count <= maxCharacters, isSound else {
            let got = name.isEmpty ? "nothing" : "`\(name.prefix(80))`"
            throw path.refusal(expected: "a name `\(collection)/…`", got: got)
        }
        return name
    }
}
