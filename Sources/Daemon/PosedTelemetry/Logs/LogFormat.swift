internal import Glibc

/// The form of a log's lines.
package enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// For the journal: a priority in front, no time (the journal keeps its own).
    case journal
    /// For people, with the time; plain, as in a file.
    case text
    /// For people at a terminal: as `text`, with the level in colour.
    case terminal
    /// For machines: one JSON object a line.
    case json

    /// The form that suits a descriptor: the journal's where the journal is behind it, the terminal's on a
    /// terminal that shows colours, plain text elsewhere.
    package static func suited(
        to descriptor: Int32, environment: [String: String]
    ) -> LogFormat {
        if JournalStream.isBehind(descriptor, environment: environment) { return .journal }
        guard isatty(descriptor) == 1 else { return .text }
        let plain = environment["NO_COLOR", default: ""] != "" || environment["TERM"] == "dumb"
        return plain ? .text : .terminal
    }
}
