import OrderedCollections

extension Scheduler {
    /// Has the costs of forms that were never worked on predicted from those of others.
    package mutating func predict(
        by likeness: @escaping @Sendable (Form) -> CostModel<Form>.Likeness?
    ) {
        costs.likeness = likeness
    }

    /// Takes note of what a stage cost that was carried out for nobody.
    package mutating func learn(_ stage: Stage, of form: Form, _ cost: Duration) {
        costs.note(stage, of: form, cost)
    }

    /// Takes note of what an evaluation cost that was carried out for nobody.
    package mutating func learn(evaluationOf rows: Int, of form: Form, _ cost: Duration) {
        costs.note(evaluationOf: rows, of: form, cost)
    }

    /// A stage was carried out in so much time; `demand` comes next. Jobs that have left the table teach
    /// costs all the same.
    package mutating func finished(
        _ stage: Stage, of id: JobID, form: Form, cost: Duration, next demand: Demand?
    ) {
        costs.note(stage, of: form, cost)
        guard entries[id] != nil else { return }
        entries[id]?.hasBegun = true
        entries[id]?.spent += cost.inSeconds
        entries[id]?.stages.removeAll { $0 == stage }
        if let demand { set(demand, of: id) }
    }

    /// A stage needs no work: what it would make was there already.
    package mutating func skipped(_ stage: Stage, of id: JobID, next demand: Demand) {
        entries[id]?.stages.removeAll { $0 == stage }
        set(demand, of: id)
    }

    /// One evaluation of these jobs was carried out together in so much time.
    package mutating func evaluated(_ ids: [JobID], rows: Int, form: Form, cost: Duration) {
        costs.note(evaluationOf: rows, of: form, cost)
        for id in ids {
            guard let entry = entries[id] else { continue }
            entries[id]?.left = max(0, entry.left - 1)
            entries[id]?.spent +=
                cost.inSeconds * Double(entry.job.rows) / Double(max(rows, 1))
        }
    }

    /// A solve has no evaluations left.
    package mutating func solved(_ id: JobID) { set(.stage(.decode), of: id) }

    /// A solve begins, with so many evaluations to make.
    package mutating func begins(_ id: JobID, evaluations: Int) {
        entries[id]?.left = evaluations
        entries[id]?.isSolving = true
    }

    private mutating func set(_ demand: Demand, of id: JobID) {
        guard entries[id] != nil else { return }
        entries[id]?.demand = demand
        if demand == .stage(.decode) { entries[id]?.left = 0 }
    }
}
