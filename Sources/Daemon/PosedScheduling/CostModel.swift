/// What work has cost lately, and what it will therefore cost: running averages of stages, and of
/// evaluations by the number of their rows.
///
/// The cost of a form that was never worked on is that of its likeness, scaled.
package struct CostModel<Form: Hashable & Sendable>: Sendable {
    private struct StageOfForm: Hashable {
        var stage: Stage
        var form: Form
    }

    /// The share of a new measurement in an average.
    private static var weight: Double { 1.0 / 8 }
    /// A measurement of more than this many times the average counts as this many: machines stumble.
    private static var outlier: Double { 4.0 }

    private var stages: [StageOfForm: Double] = [:]
    /// Seconds by rows.
    private var evaluations: [Form: [Int: Double]] = [:]

    /// A form whose costs are known, and how much more the other form costs than that.
    package struct Likeness: Sendable {
        /// The form that is known.
        package var form: Form
        /// How many times as long a stage takes.
        package var stages: Double
        /// How many times as long an evaluation takes.
        package var evaluations: Double

        /// As given.
        package init(form: Form, stages: Double, evaluations: Double) {
            self.form = form
            self.stages = stages
            self.evaluations = evaluations
        }
    }

    /// The likeness of a form that was never worked on; nil where there is none.
    package var likeness: @Sendable (Form) -> Likeness? = { _ in nil }

    /// A model that knows nothing.
    package init() {}

    /// Takes note of a stage.
    package mutating func note(_ stage: Stage, of form: Form, _ cost: Duration) {
        Self.note(cost, in: &stages[StageOfForm(stage: stage, form: form)])
    }

    /// Takes note of an evaluation of so many rows.
    package mutating func note(evaluationOf rows: Int, of form: Form, _ cost: Duration) {
        Self.note(cost, in: &evaluations[form, default: [:]][rows])
    }

    /// What a stage will cost; nil if that is not known.
    package func cost(of stage: Stage, _ form: Form) -> Duration? {
        if let known = stages[StageOfForm(stage: stage, form: form)] { return .seconds(known) }
        guard let likeness = likeness(form), likeness.form != form else { return nil }
        return stages[StageOfForm(stage: stage, form: likeness.form)].map {
            .seconds($0 * likeness.stages)
        }
    }

    /// What an evaluation of so many rows will cost; nil if nothing is known of any number of rows.
    ///
    /// Between two known numbers of rows it is interpolated; outside them it is proportional.
    package func cost(evaluationOf rows: Int, _ form: Form) -> Duration? {
        guard let known = evaluations[form], !known.isEmpty else {
            guard let likeness = likeness(form), likeness.form != form else { return nil }
            return cost(evaluationOf: rows, likeness.form).map { $0 * likeness.evaluations }
        }
        if let exact = known[rows] { return .seconds(exact) }
        let below = known.filter { $0.key < rows }.max { $0.key < $1.key }
        let above = known.filter { $0.key > rows }.min { $0.key < $1.key }
        switch (below, above) {
        case (let low?, let high?):
            let share = Double(rows - low.key) / Double(high.key - low.key)
            return .seconds(low.value + share * (high.value - low.value))
        case (let only?, nil), (nil, let only?):
            return .seconds(only.value * Double(rows) / Double(only.key))
        case (nil, nil): return nil
        }
    }

    /// The fewest rows, up to `most`, whose batches get through at least `share` as many rows a second as
    /// the best of those measured; nil if nothing is known.
    package func economicalRows(upTo most: Int, _ form: Form, share: Double = 0.95) -> Int? {
        let rates = (evaluations[form] ?? [:]).filter { $0.key <= most && $0.value > 0 }
            .map { (rows: $0.key, rate: Double($0.key) / $0.value) }
        guard let best = rates.map(\.rate).max() else { return nil }
        return rates.filter { $0.rate >= share * best }.map(\.rows).min()
    }

    private static func note(_ cost: Duration, in average: inout Double?) {
        let seconds = max(0, cost / .seconds(1))
        guard let before = average else {
            average = seconds
            return
        }
        let bounded = before > 0 ? min(seconds, outlier * before) : seconds
        average = before + weight * (bounded - before)
    }
}
