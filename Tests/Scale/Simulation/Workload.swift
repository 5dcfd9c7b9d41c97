import Glibc

/// What clients do: made beforehand from a seed, so that all policies see the same.
package struct Workload: Sendable {
    /// One stream of a session.
    struct Visit: Sendable {
        /// Seconds after the end of the visit before, or, of the first, after the beginning of all.
        var wait: Double
        var frames: Int
        /// Seconds between two poses.
        var interval: Double
    }

    /// A replica ends without a word, and is back, with nothing in memory, 30 seconds later.
    struct Death: Sendable {
        var at: Double
        var replica: Int
    }

    let replicas: Int
    let sessions: [[Visit]]
    let deaths: [Death]
    /// Frames of all sessions.
    package let frames: Int
    /// How long sessions go on beginning, in seconds.
    package let horizon: Double

    /// Nine of ten sessions are a few visits of some poses at two a second, with half a minute between; one of ten is long: 30 to
    /// 600 poses at four a second. Sessions begin at random, and for five seconds of each minute 2.5 times as often.
    ///
    /// - Parameters:
    ///   - utilization: The share of all replicas' time that the frames take.
    ///   - deaths: How many of a hundred replicas die; one at least, unless this is 0.
    package init(
        replicas: Int, sessions count: Int, utilization: Double, deaths: Double, seed: UInt64
    ) {
        var chance = Chance(seed: seed)
        var visits: [[Visit]] = []
        for _ in 0..<count {
            if chance.uniform() < 0.1 {
                let frames = min(600, Int(30 * pow(1 - chance.uniform(), -1 / 1.5)))
                visits.append([Visit(wait: 0, frames: frames, interval: 0.25)])
            } else {
                visits.append(
                    (0..<chance.count(mean: 2)).map { _ in
                        Visit(
                            wait: chance.wait(mean: 30), frames: chance.count(mean: 6),
                            interval: 0.5)
                    })
            }
        }
        frames = visits.joined().reduce(0) { $0 + $1.frames }
        let work = Double(frames) * ServiceTimes.frame + Double(count) * ServiceTimes.source
        horizon = work / (Double(replicas) * utilization)
        // Time runs 2.5 times as fast in a burst; `dense` is the whole of it.
        func dense(_ time: Double) -> Double {
            time + 1.5
                * (5 * (time / 60).rounded(.down) + min(5, time.truncatingRemainder(dividingBy: 60)))
        }
        for index in visits.indices {
            let target = chance.uniform() * dense(horizon)
            var low = 0.0
            var high = horizon
            for _ in 0..<40 {
                let middle = (low + high) / 2
                if dense(middle) < target { low = middle } else { high = middle }
            }
            visits[index][0].wait = low
        }
        sessions = visits
        self.replicas = replicas
        let dying = deaths > 0 ? max(1, Int((deaths * Double(replicas) / 100).rounded())) : 0
        let span = horizon
        self.deaths = (0..<dying).map { _ in
            Death(
                at: (0.1 + 0.8 * chance.uniform()) * span,
                replica: Int.random(in: 0..<replicas, using: &chance))
        }
    }
}

/// What a replica needs for its work, in seconds: the default model in bfloat16 on two Zen 5 cores, as `docs/performance.md`
/// has it for "an open session, a new pose", with the two evaluations that are the default.
enum ServiceTimes {
    /// Encoding a source, with its picture's PNG.
    static let source = 0.0175
    /// Encoding a pose.
    static let pose = 0.0092
    /// An evaluation of one row: a quarter of the solve of four, 31.6 ms. Two rows take twice as long.
    static let evaluation = 0.0079
    static let evaluations = 2
    static let decode = 0.0151
    /// The machine has paces that differ by so much.
    static let spread = 0.07
    /// A whole frame.
    static var frame: Double { pose + evaluation * Double(evaluations) + decode }
}
