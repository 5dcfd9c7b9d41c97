import PosedSolvers
import PosedTensor

extension Compute {
    /// The error of a step as its estimate defines it, in double, on the host.
    ///
    /// - Throws: `BackendError` when the device fails.
    func error(_ estimate: SolverAction.ErrorEstimate, in slots: [Tensor]) throws -> Double {
        let before = try floats(slots[estimate.before])
        let after = try floats(slots[estimate.after])
        var difference = [Double](repeating: 0, count: before.count)
        for term in estimate.terms {
            for (index, value) in try floats(slots[term.slot]).enumerated() {
                difference[index] += term.coefficient * Double(value)
            }
        }
        var sum = 0.0
        for index in difference.indices {
            let size = Double(max(abs(before[index]), abs(after[index])))
            let ratio = difference[index] / (estimate.absolute + estimate.relative * size)
            sum += ratio * ratio
        }
        return (sum / Double(max(difference.count, 1))).squareRoot()
    }
}
