import OrderedCollections

extension Scheduler {
    /// What to do now, and which jobs have left the table on the way.
    package mutating func next(now: Instant) -> (decision: Decision<Instant>, dropped: [Dropped]) {
        let dropped = sweep(now: now)
        return (decide(now: now), dropped)
    }

    private func decide(now: Instant) -> Decision<Instant> {
        let order = workable(ranked(now: now))
        guard let first = order.first else { return .idle(until: wakeUp()) }
        // What ends a job comes first: it frees memory, and somebody has his picture.
        if let index = order.firstIndex(where: { $0.entry.demand == .stage(.decode) }),
            permits(.decode, at: index, in: order, now: now)
        {
            return .stage(.decode, order[index].key)
        }
        if case .stage(let stage) = first.entry.demand { return .stage(stage, first.key) }
        let batch = batch(order, form: first.entry.job.form, now: now)
        if let (stage, id) = filler(order, batch, now: now) { return .stage(stage, id) }
        return .evaluate(batch.map(\.key))
    }

    /// Jobs that can be worked on although as many solves are in progress as may be.
    private func workable(_ order: [Ranked]) -> [Ranked] {
        guard solving >= limits.solves else { return order }
        return order.filter { $0.entry.isSolving || $0.entry.job.rows == 0 }
    }

    /// The evaluations to make together: in order, as long as there are rows, and as long as nobody who
    /// would be in time comes late by the company.
    private func batch(_ order: [Ranked], form: Form, now: Instant) -> [Ranked] {
        var batch: [Ranked] = []
        var rows = 0
        for candidate in order
        where candidate.entry.demand == .evaluation && candidate.entry.job.form == form {
            let wider = rows + candidate.entry.job.rows
            guard batch.isEmpty || (wider <= limits.batchRows && isShort(wider, form))
            else { continue }
            let harms = batch.contains { member in
                guard let before = slack(member.entry, rows: rows, now: now),
                    let after = slack(member.entry, rows: wider, now: now)
                else { return false }
                return before >= .zero && after < .zero
            }
            if harms { break }
            batch.append(candidate)
            rows = wider
        }
        return batch
    }

    /// Whether an evaluation of so many rows is predicted to end in time for whoever watches the machine.
    private func isShort(_ rows: Int, _ form: Form) -> Bool {
        costs.cost(evaluationOf: rows, form).map { $0 <= limits.stepTime } ?? true
    }

    /// Preparation of a job whose rows the batch has room for.
    private func filler(_ order: [Ranked], _ batch: [Ranked], now: Instant) -> (Stage, JobID)? {
        let free = limits.batchRows - batch.reduce(0) { $0 + $1.entry.job.rows }
        let form = batch.first?.entry.job.form
        for (index, candidate) in order.enumerated() {
            guard case .stage(let stage) = candidate.entry.demand, stage != .decode,
                (1...max(1, free)).contains(candidate.entry.job.rows), free > 0,
                candidate.entry.job.form == form, !crowds(candidate, batch),
                permits(stage, at: index, in: order, now: now)
            else { continue }
            return (stage, candidate.key)
        }
        return nil
    }

    /// Whether a frame of a stream would be begun so soon after the one before it that both would be finished
    /// together. Frames of a stream that share batches are begun as far apart as they are to come; where sharing gains
    /// nothing, one after another.
    private func crowds(_ candidate: Ranked, _ batch: [Ranked]) -> Bool {
        guard let stream = candidate.entry.job.link?.stream,
            let newest = batch.filter({ $0.entry.job.link?.stream == stream })
                .max(by: { $0.key < $1.key })?.entry
        else { return false }
        let rows = min(limits.batchRows, limits.economicalRows)
        let together = max(1, rows / max(1, candidate.entry.job.rows))
        let made = newest.job.evaluations - newest.left
        return made * together < newest.job.evaluations
    }

    /// Whether a stage of the job at `index` may pass those before it: nobody among them who would be in
    /// time comes late by it.
    private func permits(
        _ stage: Stage, at index: Int, in order: [Ranked], now: Instant
    ) -> Bool {
        let cost = costs.cost(of: stage, order[index].entry.job.form) ?? .zero
        return order[..<index].allSatisfy { before in
            guard let slack = slack(before.entry, rows: before.entry.job.rows, now: now) else {
                return true
            }
            return slack < .zero || slack >= cost
        }
    }
}
