import OrderedCollections

extension Scheduler {
    /// A job's place in the order; the least is served first.
    struct Rank: Comparable, Sendable {
        /// 0: has a deadline, and its owner a claim to it.
        let tier: Int
        let deadline: Instant?
        let finish: Double
        let id: JobID

        static func < (a: Rank, b: Rank) -> Bool {
            if a.tier != b.tier { return a.tier < b.tier }
            if let ours = a.deadline, let theirs = b.deadline, ours != theirs {
                return ours < theirs
            }
            return (a.finish, a.id) < (b.finish, b.id)
        }
    }

    /// A job with its place.
    typealias Ranked = (key: JobID, entry: Entry, rank: Rank)

    /// Earliest deadline first, as long as the job's owner is not ahead of the others by more than the
    /// allowance; then, with the jobs without a deadline, by virtual finish.
    func rank(_ id: JobID, _ entry: Entry) -> Rank {
        let reach = shares.now + limits.allowance.inSeconds
        if let target = entry.job.target, entry.span.start <= reach {
            return Rank(tier: 0, deadline: target, finish: entry.span.finish, id: id)
        }
        return Rank(tier: 1, deadline: nil, finish: entry.span.finish, id: id)
    }

    /// All jobs that may be worked on, in order.
    func ranked(now: Instant) -> [Ranked] {
        entries.filter { isRunnable($0.key, $0.value) }
            .map { (key: $0.key, entry: $0.value, rank: rank($0.key, $0.value)) }
            .sorted { $0.rank < $1.rank }
    }
}
