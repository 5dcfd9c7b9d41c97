/// What a probe found out about a plugin.
package struct ProbeReport: Codable, Sendable, Equatable {
    /// Whether a plugin can be used.
    package enum Status: String, Codable, Sendable {
        /// It can be opened here.
        case usable
        /// It works, but not on this machine: score 0, no device, or a probe that reports an error.
        case unsuitable
        /// It does not fit this host, cannot be trusted or cannot be loaded.
        case incompatible
        /// It died, hung or left while it was probed.
        case crashed
    }

    /// Whether the plugin can be used.
    package var status: Status
    /// How well it would serve; higher is better, 0 unless `status` is `.usable`.
    package var score: Int
    /// How many devices can be opened.
    package var devices: Int
    /// The plugin's own version; empty where it did not get to say.
    package var version: String
    /// One sentence: what was found, or why the plugin cannot be used.
    package var summary: String

    /// A report of a plugin that answered.
    package init(score: Int, devices: Int, version: String, summary: String) {
        let usable = score > 0 && devices > 0
        self.status = usable ? .usable : .unsuitable
        self.score = usable ? score : 0
        self.devices = max(0, devices)
        self.version = version
        self.summary = summary
    }

    /// A report of a plugin that did not answer, or whose answer is not worth asking for.
    package init(refusal error: BackendError) {
        switch error.code {
        case .crashed: status = .crashed
        case .incompatible, .notFound, .invalidArgument: status = .incompatible
        default: status = .unsuitable
        }
        self.score = 0
        self.devices = 0
        self.version = ""
        self.summary = "\(error)"
    }
}
