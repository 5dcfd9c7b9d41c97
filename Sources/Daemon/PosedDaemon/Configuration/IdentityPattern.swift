/// Who may call: a kind of identity, and one of that kind or all of them.
///
/// Identities are `unix:UID`, `mtls:NAME`, `token:NAME` and `anonymous`; patterns are identities, `KIND:*`,
/// and `*` for everyone who is not anonymous.
package struct IdentityPattern: Hashable, Sendable, CustomStringConvertible {
    private static let kinds: Set<Substring> = ["unix", "mtls", "token"]

    /// The pattern as it was written.
    package let description: String

    /// The pattern in a text; nil where there is none.
    package init?(parsing text: String) {
        if text != "*", text != "anonymous" {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, Self.kinds.contains(parts[0]), !parts[1].isEmpty else {
                return nil
            }
            if parts[0] == "unix", parts[1] != "*", UInt32(parts[1]) == nil { return nil }
        }
        description = text
    }

    /// Whether the pattern lets an identity in.
    package func matches(_ identity: String) -> Bool {
        if description == identity { return true }
        if description == "*" { return identity != "anonymous" }
        return description.hasSuffix(":*") && identity.hasPrefix(description.dropLast())
    }
}
