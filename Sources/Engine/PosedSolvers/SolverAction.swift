/// What a solve asks of its caller.
///
/// A solve knows slots, not numbers: a slot is a buffer of the caller's, as large as the state. The
/// caller performs the actions in order on arrays, tensors or device memory alike.
package enum SolverAction: Hashable, Sendable {
    /// Evaluate the velocity.
    case evaluate(Evaluation)
    /// Overwrite a slot with a linear combination of slots.
    case combine(Combination)
    /// Measure the error of a step, and answer with `Solve.answer(error:)` before asking on.
    case estimateError(ErrorEstimate)
    /// Nothing is left to do; the slot holds the state at t = 1.
    case finished(slot: Int)

    /// `slots[output] = v(slots[input], time)`; input and output differ.
    package struct Evaluation: Hashable, Sendable {
        /// The slot that holds the state.
        package let input: Int
        /// The slot to write the velocity to.
        package let output: Int
        /// The time, 0 (noise) to 1 (data).
        package let time: Double
        /// The index of `time` in the plan's `times`; nil where steps are chosen on the way.
        package let timeIndex: Int?

        package init(input: Int, output: Int, time: Double, timeIndex: Int?) {
            self.input = input
            self.output = output
            self.time = time
            self.timeIndex = timeIndex
        }
    }

    /// `slots[output] = Σ coefficient · slots[slot]`, elementwise. The output may be among the
    /// terms.
    package struct Combination: Hashable, Sendable {
        /// The slot to overwrite.
        package let output: Int
        /// One term a slot, no coefficient zero.
        package let terms: [Term]

        package init(output: Int, terms: [Term]) {
            self.output = output
            self.terms = terms
        }
    }

    /// One summand of a combination.
    package struct Term: Hashable, Sendable {
        /// The slot.
        package let slot: Int
        /// Its coefficient.
        package let coefficient: Double

        package init(slot: Int, coefficient: Double) {
            self.slot = slot
            self.coefficient = coefficient
        }
    }

    /// The error e = Σ coefficient · slots[slot], elementwise, is to be measured as the root mean
    /// square of `e / (absolute + relative · max(|before|, |after|))`; 1 is just acceptable.
    package struct ErrorEstimate: Hashable, Sendable {
        /// The terms of e.
        package let terms: [Term]
        /// The slot with the state at the beginning of the step.
        package let before: Int
        /// The slot with the state at its end.
        package let after: Int
        /// The absolute tolerance.
        package let absolute: Double
        /// The relative tolerance.
        package let relative: Double

        package init(terms: [Term], before: Int, after: Int, absolute: Double, relative: Double) {
            self.terms = terms
            self.before = before
            self.after = after
            self.absolute = absolute
            self.relative = relative
        }
    }
}
