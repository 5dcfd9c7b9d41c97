/// All keys of the configuration, by section.
package enum Settings {
    /// Every key, in the order in which a reader would want to meet them.
    package static let all: [any AnySetting] =
        Model.all + Listen.all + RPC.all + Authentication.all + Sessions.all + Store.all
        + Scheduling.all + Sampling.all + Limits.all + Operations.all

    /// The sections' names and titles, in the same order.
    package static let sections: [(prefix: String, title: String)] = [
        ("model", "The model and where it runs"), ("solvers", "Solvers besides the built-in ones"),
        ("listen", "Who can reach the daemon"), ("rpc", "Limits of connections and messages"),
        ("authentication", "Bearer tokens"), ("sessions", "What the daemon keeps for its callers"),
        ("store", "The store of sessions that several daemons share"),
        ("cache", "What the daemon keeps for itself"),
        ("scheduling", "What waits, how long, and what runs together"),
        ("sampling", "How pictures are made when nobody says"),
        ("limits", "What one request may ask for, and how much of the daemon its callers may hold"),
        ("shutdown", "How the daemon ends"),
        ("http", "Metrics, liveness, the API and the studio over HTTP"), ("log", "The log"),
        ("tracing", "Traces"),
        ("watchdog", "When the daemon counts as stuck"),
    ]

    /// The setting of a name, or of a name that it had in an earlier version.
    package static func named(_ key: String) -> (any AnySetting)? {
        all.first { $0.key == key } ?? Limits.renamed[key]
    }

    /// Whether a key is a section of others.
    static func isSection(_ key: String) -> Bool {
        all.contains { $0.key.hasPrefix(key + ".") }
    }
}
