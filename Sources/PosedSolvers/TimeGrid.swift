/// The points in time at which a solve on a fixed grid steps: from 0, which is noise, to 1, which
/// is data.
package struct TimeGrid: Hashable, Sendable {
    /// The points, strictly increasing, first 0 and last 1: one more than there are steps.
    package let points: [Double]

    /// Equal steps, each point t then moved to s·t / (1 + (s − 1)·t).
    ///
    /// - Parameters:
    ///   - steps: 1 to `StepBudget.maxEvaluations`.
    ///   - timeShift: s, 0.01 to 100; above 1 it puts more steps near the data, at 1 nothing moves.
    ///
    /// Throws `invalidRequest` for anything else.
    package init(steps: Int, timeShift: Double = 1) throws(SolverError) {
        guard (1...StepBudget.maxEvaluations).contains(steps) else {
            throw SolverError(
                .invalidRequest,
                "1 to \(StepBudget.maxEvaluations) steps expected, but \(steps) asked for")
        }
        guard (0.01...100).contains(timeShift) else {
            throw SolverError(
                .invalidRequest, "a time shift from 0.01 to 100 expected, but it is \(timeShift)")
        }
        points = (0...steps).map { index in
            let time = Double(index) / Double(steps)
            return index == steps ? 1 : timeShift * time / (1 + (timeShift - 1) * time)
        }
    }

    /// The number of steps.
    package var steps: Int { points.count - 1 }
}
