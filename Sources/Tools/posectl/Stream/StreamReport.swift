/// What became of a stream.
package struct StreamReport: Encodable, Sendable {
    package let session: String
    package let seconds: Double
    package let frames: Int
    package let superseded: Int
    package let failed: Int
    package let late: Int
    package let framesPerSecond: Double
    package let latencyMs: Distribution
    /// Of the time between two frames.
    package let gapMs: Distribution
    package let poses: [StreamRecord]

    /// The sum of its records.
    ///
    /// - Parameter arrivals: When each frame came, in seconds of the stream.
    package init(session: String, seconds: Double, records: [StreamRecord], arrivals: [Double]) {
        self.session = session
        self.seconds = seconds
        poses = records
        superseded = records.count { $0.supersededBy != nil }
        failed = records.count { $0.error != nil }
        let made = records.filter { $0.supersededBy == nil && $0.error == nil }
        frames = made.count
        late = made.count { $0.isLate }
        framesPerSecond = seconds > 0 ? Double(made.count) / seconds : 0
        latencyMs = Distribution(made.map(\.latencyMs))
        gapMs = Distribution(zip(arrivals.dropFirst(), arrivals).map { ($0 - $1) * 1000 })
    }

    /// What people want to know.
    package var table: Table {
        var table = Table([])
        table.add([
            "frames",
            "\(frames) in \(Text.number(seconds, decimals: 2)) s, "
                + "\(Text.number(framesPerSecond, decimals: 2)) a second",
        ])
        table.add(["not made", "\(superseded) superseded, \(failed) failed"])
        table.add(["late", "\(late)"])
        table.add(["latency", latencyMs.summary])
        table.add([
            "between frames", gapMs.summary + ", jitter \(Text.milliseconds(gapMs.deviation))",
        ])
        return table
    }
}
