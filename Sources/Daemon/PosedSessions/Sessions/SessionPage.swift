/// A part of the list of an identity's sessions.
package struct SessionPage<Settings: SessionSettings>: Sendable {
    /// How many sessions a page has when the client does not say.
    package static var defaultSize: Int { 50 }
    /// How many sessions a page has at most, whatever the client says.
    package static var greatestSize: Int { 1000 }

    /// Sessions, in the order of their creation.
    package let sessions: [Session<Settings>]
    /// What to ask the next page with; nil behind the last.
    package let nextToken: String?
    /// How many sessions the identity has at this moment.
    package let totalCount: Int
}
