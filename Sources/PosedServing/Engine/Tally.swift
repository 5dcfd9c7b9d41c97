import PosedGuarded

/// Counts what the lane reports, and passes it on to whoever watches.
package final class Tally: ServingMetrics {
    private struct Counts {
        var frames: [String: Int] = [:]
        var late = 0
        var reduced = 0
        var batches = 0
        var rows = 0
        var caches: [String: (hits: Int, misses: Int)] = [:]
        var streams = 0
    }

    private let counts = Guarded(Counts())
    private let watcher: any ServingMetrics

    /// Passes on to `watcher`.
    package init(_ watcher: any ServingMetrics) { self.watcher = watcher }

    package func frame(outcome: String, total: Duration, queue: Duration) {
        counts.withLock { $0.frames[outcome, default: 0] += 1 }
        watcher.frame(outcome: outcome, total: total, queue: queue)
    }

    package func stage(_ name: String, _ duration: Duration) { watcher.stage(name, duration) }

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

    /// A frame was made: after it was due, with fewer evaluations than were asked for.
    func note(late: Bool, reduced: Bool) {
        counts.withLock {
            $0.late += late ? 1 : 0
            $0.reduced += reduced ? 1 : 0
        }
    }

    /// A stream was opened, or came to its end.
    func streams(_ change: Int) { counts.withLock { $0.streams += change } }

    /// What was counted; the rest of the statistics is left as it is.
    func fill(_ statistics: inout ServingStatistics) {
        let counts = counts.withLock { $0 }
        statistics.framesCompleted = counts.frames["completed"] ?? 0
        statistics.framesFailed = counts.frames["failed"] ?? 0
        statistics.framesCancelled =
            (counts.frames["cancelled"] ?? 0) + (counts.frames["expired"] ?? 0)
        statistics.framesSuperseded = counts.frames["superseded"] ?? 0
        statistics.framesLate = counts.late
        statistics.framesReduced = counts.reduced
        statistics.batches = counts.batches
        statistics.batchRows = counts.rows
        statistics.openStreams = counts.streams
        statistics.sourceCache.hits = counts.caches["source"]?.hits ?? 0
        statistics.sourceCache.misses = counts.caches["source"]?.misses ?? 0
        statistics.poseCache.hits = counts.caches["pose"]?.hits ?? 0
        statistics.poseCache.misses = counts.caches["pose"]?.misses ?? 0
    }
}
