import OrderedCollections

extension Scheduler {
    /// What a cost counts as, in seconds, as long as nobody knows it: of a stage, and of a row.
    private static var unknown: Double { 1e-3 }

    /// What a new job will cost, in seconds of the machine, if its rows share batches fairly.
    func reckon(_ job: Job) -> Double {
        let stages = job.stages + (job.rows > 0 ? [.begin, .decode] : [])
        let ofStages = stages.reduce(0) {
            $0 + (costs.cost(of: $1, job.form)?.inSeconds ?? Self.unknown)
        }
        let evaluation =
            costs.cost(evaluationOf: job.rows, job.form)?.inSeconds
            ?? Self.unknown * Double(job.rows)
        return ofStages + evaluation * Double(job.evaluations)
    }

    /// What is left of a job, if its evaluations are made in batches of so many rows. What is not known
    /// counts as nothing: nothing is predicted to be late without evidence.
    func remaining(_ entry: Entry, rows: Int) -> Duration {
        var sum = Duration.zero
        for stage in entry.stages { sum += costs.cost(of: stage, entry.job.form) ?? .zero }
        guard entry.job.rows > 0 else { return sum }
        if entry.isSolving == false { sum += costs.cost(of: .begin, entry.job.form) ?? .zero }
        let evaluation =
            costs.cost(evaluationOf: max(rows, entry.job.rows), entry.job.form) ?? .zero
        return sum + evaluation * entry.left + (costs.cost(of: .decode, entry.job.form) ?? .zero)
    }

    /// The time that a job can still wait and be in time, if its evaluations are made in batches of so
    /// many rows; nil if it has no deadline.
    func slack(_ entry: Entry, rows: Int, now: Instant) -> Duration? {
        entry.job.target.map { now.duration(to: $0) - remaining(entry, rows: rows) }
    }

    /// How many evaluations a job that is about to begin its solve can make and still be in time: those
    /// asked for, or fewer, down to the least it may get. Without a deadline or a least, those
    /// asked for.
    ///
    /// It reckons with what is before it in the order: solves that share its batches make them dearer,
    /// solves that do not fit are waited for, and each is decoded.
    package func affordableEvaluations(_ id: JobID, now: Instant) -> Int {
        guard let entry = entries[id] else { return 0 }
        let job = entry.job
        guard let target = job.target, let least = job.leastEvaluations, least < job.evaluations
        else { return job.evaluations }
        var together = job.rows
        var time = now.duration(to: target)
        time -= costs.cost(of: .begin, job.form) ?? .zero
        time -= costs.cost(of: .decode, job.form) ?? .zero
        for other in ranked(now: now) where other.key != id && other.entry.isSolving {
            let isBefore = other.rank < rank(id, entry)
            let rows = other.entry.job.rows
            if other.entry.job.form == job.form, other.entry.demand == .evaluation,
                together + rows <= limits.batchRows
            {
                together += rows
                if isBefore { time -= costs.cost(of: .decode, job.form) ?? .zero }
            } else if isBefore {
                time -= remaining(other.entry, rows: rows)
            }
        }
        guard let cost = costs.cost(evaluationOf: together, job.form), cost > .zero else {
            return job.evaluations
        }
        let affordable = (time / cost).rounded(.down)
        return Int(min(Double(job.evaluations), max(Double(least), affordable)))
    }
}
