/// What a bench found.
package struct BenchReport: Encodable, Sendable {
    /// What was asked for.
    package struct Plan: Encodable, Sendable {
        package var mode: String
        package var concurrency: Int
        package var sessions: Int
        /// Requests a second; nil for as many as are answered.
        package var rate: Double?
        package var arrivals: String?
        package var format: String
        package var seconds: Double

        /// As given.
        package init(
            mode: String, concurrency: Int, sessions: Int, rate: Double?, arrivals: String?,
            format: String, seconds: Double
        ) {
            self.mode = mode
            self.concurrency = concurrency
            self.sessions = sessions
            self.rate = rate
            self.arrivals = arrivals
            self.format = format
            self.seconds = seconds
        }
    }

    package let plan: Plan
    /// In which frames a second are counted: from the end of warming up until the last request was due, so
    /// that the load is whole. Where most answers came after that, until the last answer.
    package let seconds: Double
    /// Made, of those due after warming up.
    package let frames: Int
    /// Frames made in `seconds`, whenever they were due.
    package let framesPerSecond: Double
    package let superseded: Int
    package let failed: Int
    /// Failures by their statuses.
    package let failures: [String: Int]
    /// Frames that came later than they were due.
    package let late: Int
    package let reduced: Int
    /// From when a request was due to its frame.
    package let latencyMs: Distribution
    /// Of the latency, what the daemon does not account for: sockets, and the client itself.
    package let overheadMs: Distribution
    /// Between two frames of one caller; its deviation is the jitter.
    package let gapMs: Distribution
    /// The daemon's own times, by stage.
    package let stagesMs: [String: Distribution]
    /// Shares of frames that found their source, and their pose.
    package let sourceHits: Double
    package let poseHits: Double

    /// The sum of the records.
    ///
    /// - Parameters:
    ///   - records: In any order.
    ///   - warmup: What was due in these first seconds does not count.
    ///   - deadline: A frame that takes longer, in seconds, is late.
    package init(plan: Plan, records: [BenchRecord], warmup: Double, deadline: Double?) {
        self.plan = plan
        let counted = records.filter { $0.due >= warmup }
        let made = counted.filter { $0.outcome == .frame }
        let time = Self.time(records, after: warmup)
        seconds = time.upperBound - time.lowerBound
        frames = made.count
        let done = records.count { $0.outcome == .frame && time.contains($0.end) }
        framesPerSecond = seconds > 0 ? Double(done) / seconds : 0
        superseded = counted.count { $0.outcome == .superseded }
        var failures: [String: Int] = [:]
        for record in counted {
            if case .failed(let status) = record.outcome { failures[status, default: 0] += 1 }
        }
        self.failures = failures
        failed = failures.values.reduce(0, +)
        late = deadline.map { deadline in made.count { $0.end - $0.due > deadline } } ?? 0
        reduced = made.count { $0.isReduced }
        latencyMs = Distribution(made.map { ($0.end - $0.due) * 1000 })
        overheadMs = Distribution(
            made.compactMap { record in
                record.stages["total"].map { (record.end - record.due) * 1000 - $0 }
            })
        gapMs = Distribution(Self.gaps(made))
        stagesMs = Dictionary(
            uniqueKeysWithValues: BenchRecord.stageNames.map { name in
                (name, Distribution(made.compactMap { $0.stages[name] }))
            })
        let share = { (count: Int) in made.isEmpty ? 0 : Double(count) / Double(made.count) }
        sourceHits = share(made.count { $0.hitSource })
        poseHits = share(made.count { $0.hitPose })
    }

    /// The time in which frames a second are counted.
    private static func time(
        _ records: [BenchRecord], after warmup: Double
    ) -> ClosedRange<Double> {
        let end = max(warmup, records.map(\.end).max() ?? warmup)
        let lastDue = max(warmup, records.map(\.due).max() ?? warmup)
        return warmup...(lastDue - warmup >= (end - warmup) / 2 ? lastDue : end)
    }

    /// Milliseconds between two frames of one caller.
    private static func gaps(_ made: [BenchRecord]) -> [Double] {
        Dictionary(grouping: made, by: \.worker).values.flatMap { records in
            let ends = records.map(\.end).sorted()
            return zip(ends.dropFirst(), ends).map { ($0 - $1) * 1000 }
        }
    }
}
