/// Performs a solve's actions on vectors of doubles: what the actions mean, in the fewest words,
/// for tests and for small systems.
package struct VectorIntegrator {
    private var slots: [[Double]]
    private let velocity: (_ state: [Double], _ time: Double) -> [Double]

    /// Runs a solve to its end.
    ///
    /// - Parameters:
    ///   - solve: The solve; its outcome and counts can be read afterwards.
    ///   - initial: The state at t = 0.
    ///   - velocity: dz/dt for a state and a time, as many numbers as the state has.
    /// - Returns: The state at t = 1.
    package static func run(
        _ solve: inout Solve, from initial: [Double],
        velocity: @escaping (_ state: [Double], _ time: Double) -> [Double]
    ) -> [Double] {
        let empty = [Double](repeating: 0, count: initial.count)
        var integrator = VectorIntegrator(
            slots: [initial] + Array(repeating: empty, count: solve.slotCount - 1),
            velocity: velocity)
        while true {
            switch solve.next() {
            case .evaluate(let evaluation): integrator.evaluate(evaluation)
            case .combine(let combination):
                integrator.slots[combination.output] = integrator.sum(combination.terms)
            case .estimateError(let estimate): solve.answer(error: integrator.error(estimate))
            case .finished(let slot): return integrator.slots[slot]
            }
        }
    }

    private mutating func evaluate(_ evaluation: SolverAction.Evaluation) {
        slots[evaluation.output] = velocity(slots[evaluation.input], evaluation.time)
    }

    private func sum(_ terms: [SolverAction.Term]) -> [Double] {
        slots[0].indices.map { index in
            terms.reduce(0) { $0 + $1.coefficient * slots[$1.slot][index] }
        }
    }

    private func error(_ estimate: SolverAction.ErrorEstimate) -> Double {
        let squares = sum(estimate.terms).enumerated().map { index, error in
            let before = abs(slots[estimate.before][index])
            let after = abs(slots[estimate.after][index])
            let scaled = error / (estimate.absolute + estimate.relative * max(before, after))
            return scaled * scaled
        }
        return (squares.reduce(0, +) / Double(max(1, squares.count))).squareRoot()
    }
}
