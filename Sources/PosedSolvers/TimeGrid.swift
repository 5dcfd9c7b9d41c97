/// The points in time at which a solve on a fixed grid steps: from 0, which is noise, or a later start,
/// to 1, which is data.
package struct TimeGrid: Hashable, Sendable {
    /// The points, strictly increasing, first the start and last 1: one more than there are steps.
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

    /// The part of a grid that is left of it from `start` on: as many steps as the whole would make there,
    /// rounded, and at least one; laid out as the whole is, between `start` and 1.
    ///
    /// Throws `invalidRequest` as the whole does, and for a start outside [0, 1).
    package init(
        steps: Int, timeShift: Double = 1, from start: Double
    ) throws(SolverError) {
        guard start >= 0, start < 1 else {
            throw SolverError(
                .invalidRequest,
                "a start on the path from 0 to below 1 expected, but it is \(start)")
        }
        let whole = try TimeGrid(steps: steps, timeShift: timeShift)
        guard start > 0 else {
            self = whole
            return
        }
        let left = max(1, Int((Double(steps) * (1 - start)).rounded()))
        points = try TimeGrid(steps: left, timeShift: timeShift).points.map {
            $0 == 1 ? 1 : start + (1 - start) * $0
        }
    }

    /// The number of steps.
    package var steps: Int { points.count - 1 }
}
