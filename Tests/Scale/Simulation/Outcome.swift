/// What a simulation came to.
package struct Outcome: Hashable, Sendable {
    /// How sessions found a replica.
    package let policy: Policy
    /// Replicas.
    package let replicas: Int
    /// Sessions.
    package let sessions: Int
    /// Frames that clients asked for.
    package let frames: Int
    /// From pose to frame, in seconds, in order of arrival.
    package internal(set) var latencies: [Float] = []
    /// Replicas that died.
    package internal(set) var deaths = 0
    /// Sources that were encoded again, since no replica that had them was asked.
    package internal(set) var reencodings = 0
    /// How often a session found another replica than before.
    package internal(set) var moved = 0
    /// Of these, streams that the router moved while they were open.
    package internal(set) var handed = 0
    /// Streams that were open at one replica at a time, at most.
    package internal(set) var mostStreams = 0
    /// Streams that a replica got although it had its share.
    package internal(set) var aboveShare = 0
    /// Poses that never got a frame.
    package internal(set) var lost = 0
    /// Sessions that did not come to their end.
    package internal(set) var unended = 0
    /// When the last frame was there, in seconds.
    package internal(set) var end = 0.0

    init(policy: Policy, workload: Workload) {
        self.policy = policy
        replicas = workload.replicas
        sessions = workload.sessions.count
        frames = workload.frames
        latencies.reserveCapacity(frames)
    }

    /// The columns of `line`.
    package static let columns =
        "policy,replicas,sessions,frames,deaths,seconds,p50_ms,p99_ms,p999_ms,worst_ms,late_percent,reencodings,moved,handed,most_streams,lost"

    /// A line of CSV. Late frames took more than a second.
    package var line: String {
        let sorted = latencies.sorted()
        func milliseconds(_ share: Double) -> Int {
            guard let last = sorted.indices.last else { return 0 }
            return Int((sorted[Int((Double(last) * share).rounded())] * 1000).rounded())
        }
        let late = Double(sorted.count { $0 > 1 }) / Double(max(1, sorted.count))
        let values: [Any] = [
            "\"\(policy)\"", replicas, sessions, frames, deaths, Int(end), milliseconds(0.5),
            milliseconds(0.99), milliseconds(0.999), milliseconds(1),
            Double(Int(late * 1e5)) / 1e3, reencodings, moved, handed, mostStreams, lost,
        ]
        return values.map { "\($0)" }.joined(separator: ",")
    }
}
