/// A value as its source wrote it, before anyone knows what it means.
package enum RawValue: Hashable, Sendable, CustomStringConvertible {
    /// One text.
    case scalar(String)
    /// A list of texts.
    case list([String])

    package var description: String {
        switch self {
        case .scalar(let text): text.isEmpty ? "empty" : "'\(text)'"
        case .list(let texts): "[" + texts.map { "'\($0)'" }.joined(separator: ", ") + "]"
        }
    }
}
