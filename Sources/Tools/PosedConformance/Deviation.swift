/// How far a result is from its reference.
package enum Deviation {
    /// The greater of two measures: the relative L2 error of the whole, and a quarter of the worst
    /// element's error relative to its own size plus the root mean square of all. A single wrong
    /// element cannot hide in the first; rounding near zero does not trip the second. Infinite when a
    /// finite value was expected and none came.
    package static func of(_ result: [Float], _ reference: [Double]) -> Double {
        guard result.count == reference.count, !result.isEmpty else { return .infinity }
        var (error, power) = (0.0, 0.0)
        for (y, r) in zip(result, reference) {
            error += (Double(y) - r) * (Double(y) - r)
            power += r * r
        }
        guard error.isFinite else { return .infinity }
        let floor = 1e-6
        let size = (power / Double(reference.count)).squareRoot() + floor
        var worst = 0.0
        for (y, r) in zip(result, reference) {
            worst = max(worst, abs(Double(y) - r) / (abs(r) + size))
        }
        let whole = (error / Double(reference.count)).squareRoot() / size
        return max(whole, worst / 4)
    }
}
