/// The mean and covariance of a set of feature vectors, gathered one at a time.
package struct FeatureStatistics: Sendable {
    /// Features per vector.
    package let dimension: Int
    /// Vectors seen so far.
    package private(set) var count = 0
    /// The mean, `[D]`.
    package private(set) var mean: [Double]

    /// Sums of products of deviations from the mean, lower triangle of `[D, D]`.
    private var scatter: [Double]

    /// Statistics of no vector yet.
    package init(dimension: Int) {
        precondition(dimension > 0, "features have a dimension")
        self.dimension = dimension
        mean = Array(repeating: 0, count: dimension)
        scatter = Array(repeating: 0, count: dimension * dimension)
    }

    /// Adds a vector, `[D]`. Throws `sizeMismatch` or `nonFiniteFeature`.
    package mutating func add(_ features: [Float]) throws {
        guard features.count == dimension else {
            throw EvaluationError(
                .sizeMismatch,
                "a vector of \(dimension) features was expected, not of \(features.count)")
        }
        guard features.allSatisfy(\.isFinite) else {
            throw EvaluationError(
                .nonFiniteFeature, "vector \(count + 1) has a feature that is not a finite number")
        }
        // Welford's update: the deviation from the old mean times that from the new.
        count += 1
        let weight = Double(count - 1) / Double(count)
        let deviation = zip(features, mean).map { Double($0) - $1 }
        for i in 0..<dimension { mean[i] += deviation[i] / Double(count) }
        let n = dimension
        scatter.withUnsafeMutableBufferPointer { scatter in
            deviation.withUnsafeBufferPointer { deviation in
                for i in 0..<n {
                    let scaled = deviation[i] * weight
                    for j in 0...i { scatter[i * n + j] += scaled * deviation[j] }
                }
            }
        }
    }

    /// The unbiased covariance, `[D, D]`. Throws `tooFewFeatures` for fewer than two vectors.
    package func covariance() throws -> [Double] {
        guard count >= 2 else {
            throw EvaluationError(
                .tooFewFeatures, "a covariance takes at least 2 vectors, not \(count)")
        }
        var matrix = [Double](repeating: 0, count: dimension * dimension)
        for i in 0..<dimension {
            for j in 0...i {
                let value = scatter[i * dimension + j] / Double(count - 1)
                matrix[i * dimension + j] = value
                matrix[j * dimension + i] = value
            }
        }
        return matrix
    }
}
