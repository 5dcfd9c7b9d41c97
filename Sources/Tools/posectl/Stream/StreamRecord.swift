/// What became of one pose of a stream.
package struct StreamRecord: Encodable, Sendable {
    package var sequence: UInt64
    package var name: String
    /// The file that was written.
    package var out: String?
    /// From sending the pose to its answer.
    package var latencyMs: Double
    package var nfe: Int32?
    package var seed: UInt64?
    /// Whether it came later than it was due.
    package var isLate = false
    package var supersededBy: UInt64?
    package var error: String?

    /// A pose that was answered, as far as nothing else is said of it.
    package init(sequence: UInt64, name: String, latencyMs: Double, error: String? = nil) {
        self.sequence = sequence
        self.name = name
        self.latencyMs = latencyMs
        self.error = error
    }

    private enum CodingKeys: String, CodingKey {
        case sequence, name, out, latencyMs, nfe, seed, isLate = "late", supersededBy, error
    }
}
