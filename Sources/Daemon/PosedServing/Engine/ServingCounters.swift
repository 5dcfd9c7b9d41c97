import PosedGuarded

/// Counts what the lane reports, and passes it on to whoever watches.
package final class ServingCounters: ServingMetrics {
    /// What became of somebody's frames.
    private struct Frames {
        var ended: [String: Int] = [:]
        var late = 0
        var reduced = 0

        func fill(_ statistics: inout ServingStatistics) {
            statistics.framesCompleted = ended["completed"] ?? 0
            statistics.framesFailed = ended["failed"] ?? 0
            statistics.framesCancelled = (ended["cancelled"] ?? 0) + (ended["expired"] ?? 0)
            statistics.framesSuperseded = ended["superseded"] ?? 0
            statistics.framesLate = late
            statistics.framesReduced = reduced
        }
    }

    /// Owners whose frames are counted; those that come when there are so many are counted in the sum alone.
    private static let ownerLimit = 1024

    private struct Counts {
        var all = Frames()
        var owners: [String: Frames] = [:]
        var batches = 0
        var rows = 0
        var caches: [String: (hits: Int, misses: Int)] = [:]
        var streams = 0
    }

    private let counts = Guarded(Counts())
    private let watcher: any ServingMetrics

    /// Passes on to `watcher`.
    package init(_ watcher: any ServingMetrics) { self.watcher = watcher }

    package func frame(of owner: String, outcome: String, total: Duration, queue: Duration) {
        count(owner) { $0.ended[outcome, default: 0] += 1 }
        watcher.frame(of: owner, outcome: outcome, total: total, queue: queue)
    }

    private func count(_ owner: String, _ change: (inout Frames) -> Void) {
        counts.withLock { counts in
            change(&counts.all)
            guard counts.owners[owner] != nil || counts.owners.count < Self.ownerLimit else {
                return
            }
            change(&counts.owners[owner, default: Frames()])
        }
    }

    package func stage(_ name: String, _ duration: Duration) { watcher.stage(name, duration) }

    package func firstFrame(_ total: Duration) { watcher.firstFrame(total) }

    package func batch(rows: Int, _ duration: Duration) {
        counts.withLock {
            $0.batches += 1
            $0.rows += rows
        }
        watcher.batch(rows: rows, duration)
    }

    package func cache(_ name: String, hit: Bool) {
        counts.withLock {
            $0.caches[name, default: (0, 0)].hits += hit ? 1 : 0
            $0.caches[name, default: (0, 0)].misses += hit ? 0 : 1
        }
        watcher.cache(name, hit: hit)
    }

    /// A frame of an owner's was made: after it was due, with fewer evaluations than were asked for.
    func note(_ owner: String, late: Bool, reduced: Bool) {
        guard late || reduced else { return }
        count(owner) {
            $0.late += late ? 1 : 0
            $0.reduced += reduced ? 1 : 0
        }
    }

    /// What was counted of an owner's frames; the rest of the statistics is left as it is.
    func fill(_ statistics: inout ServingStatistics, of owner: String) {
        counts.withLock { $0.owners[owner] ?? Frames() }.fill(&statistics)
    }

    /// A stream was opened, or came to its end.
    func streams(_ change: Int) { counts.withLock { $0.streams += change } }

    /// What was counted; the rest of the statistics is left as it is.
    func fill(_ statistics: inout ServingStatistics) {
        let counts = counts.withLock { $0 }
        counts.all.fill(&statistics)
        statistics.batches = counts.batches
        statistics.batchRows = counts.rows
        statistics.openStreams = counts.streams
        statistics.sourceCache.hits = counts.caches["source"]?.hits ?? 0
        statistics.sourceCache.misses = counts.caches["source"]?.misses ?? 0
        statistics.poseCache.hits = counts.caches["pose"]?.hits ?? 0
        statistics.poseCache.misses = counts.caches["pose"]?.misses ?? 0
    }
}
