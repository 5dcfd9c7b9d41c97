/// One step of a method, laid out in slots: slot 0 is the state, the others hold velocities and the
/// states in between, and are used again as soon as nobody needs what they hold.
struct StepLayout {
    /// A summand whose coefficient is still to be multiplied by the step's size.
    struct Term {
        let slot: Int
        let coefficient: Double
    }

    enum Part {
        /// Evaluates a stage.
        case evaluate(stage: Int, input: Int, output: Int)
        /// Writes slot 0 plus the scaled terms to a slot.
        case combine(output: Int, terms: [Term])
    }

    let parts: [Part]
    let slotCount: Int

    init(_ tableau: ButcherTableau) {
        var builder = Builder(tableau)
        for stage in tableau.contributingStages { builder.add(stage) }
        builder.finish()
        parts = builder.parts
        slotCount = builder.slotCount
    }

    /// Hands out slots while it goes through the stages.
    private struct Builder {
        let tableau: ButcherTableau
        var parts: [Part] = []
        var slotCount = 1
        private var free: [Int] = []
        /// The slot of each stage's velocity, while it is needed.
        private var slots: [Int: Int] = [:]

        init(_ tableau: ButcherTableau) { self.tableau = tableau }

        mutating func add(_ stage: Int) {
            let terms = terms(tableau.a[stage])
            // A velocity that nobody needs after this stage gives its slot to the state made from
            // it.
            for (source, slot) in slots where !isNeeded(source, after: stage) {
                slots[source] = nil
                free.append(slot)
            }
            var input = 0
            if !terms.isEmpty {
                input = take()
                parts.append(.combine(output: input, terms: terms))
            }
            let output = take()
            parts.append(.evaluate(stage: stage, input: input, output: output))
            slots[stage] = output
            if input != 0 { free.append(input) }
        }

        mutating func finish() {
            parts.append(.combine(output: 0, terms: terms(tableau.b)))
        }

        private func terms(_ row: [Double]) -> [Term] {
            row.enumerated().compactMap { stage, coefficient in
                guard coefficient != 0, let slot = slots[stage] else { return nil }
                return Term(slot: slot, coefficient: coefficient)
            }
        }

        private func isNeeded(_ source: Int, after stage: Int) -> Bool {
            tableau.b[source] != 0
                || tableau.contributingStages.contains { $0 > stage && tableau.a[$0][source] != 0 }
        }

        private mutating func take() -> Int {
            if let slot = free.min() {
                free.removeAll { $0 == slot }
                return slot
            }
            slotCount += 1
            return slotCount - 1
        }
    }
}
