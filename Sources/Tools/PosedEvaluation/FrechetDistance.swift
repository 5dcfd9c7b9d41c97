/// The Fréchet distance of two sets of features, each taken for a normal distribution.
///
/// |μ₁ − μ₂|² + tr Σ₁ + tr Σ₂ − 2 tr √(Σ₁Σ₂). The last trace is that of √(√Σ₁ Σ₂ √Σ₁), which is
/// symmetric and so needs no root of a general matrix; directions in which Σ₁ has no extent beyond
/// rounding are left out, so that sets with fewer vectors than features are no special case.
package struct FrechetDistance {
    private let reference: FeatureStatistics
    private let trace: Double
    /// A root of the reference's covariance: rows are its eigenvectors, scaled by the roots of their values.
    private let root: [Double]
    private let rank: Int

    /// Distances to a set. Its covariance is decomposed here, once for all distances to it.
    ///
    /// Throws `tooFewFeatures` or `noConvergence`.
    package init(to reference: FeatureStatistics) throws {
        let n = reference.dimension
        let covariance = try reference.covariance()
        let eigen = try SymmetricEigen(covariance, order: n, wantsVectors: true)
        let threshold = (eigen.values.max() ?? 0) * Double(n) * Double.ulpOfOne
        let kept = eigen.values.indices.filter { eigen.values[$0] > threshold }
        var root = [Double](repeating: 0, count: kept.count * n)
        for (row, index) in kept.enumerated() {
            let scale = eigen.values[index].squareRoot()
            for i in 0..<n { root[row * n + i] = eigen.vectors[index * n + i] * scale }
        }
        self.reference = reference
        self.root = root
        rank = kept.count
        trace = Self.trace(covariance, order: n)
    }

    /// The distance of another set, never negative. Throws `sizeMismatch`, `tooFewFeatures` or `noConvergence`.
    package func value(_ other: FeatureStatistics) throws -> Double {
        let n = reference.dimension
        guard other.dimension == n else {
            throw EvaluationError(
                .sizeMismatch,
                "sets of \(n) and of \(other.dimension) features cannot be compared")
        }
        let covariance = try other.covariance()
        let offset = zip(reference.mean, other.mean).reduce(0) { sum, means in
            sum + (means.0 - means.1) * (means.0 - means.1)
        }
        // tr √(√A B √A), √A in the basis of its own eigenvectors.
        let half = Self.product(root, covariance, rows: rank, columns: n, inner: n)
        let inner = Self.productWithTranspose(half, root, rows: rank, inner: n)
        let values = try SymmetricEigen(inner, order: rank, wantsVectors: false).values
        let common = values.reduce(0) { $0 + max($1, 0).squareRoot() }
        return max(offset + trace + Self.trace(covariance, order: n) - 2 * common, 0)
    }

    private static func trace(_ matrix: [Double], order n: Int) -> Double {
        (0..<n).reduce(0) { $0 + matrix[$1 * n + $1] }
    }

    /// A · B with A `[rows, inner]` and B `[inner, columns]`.
    private static func product(
        _ a: [Double], _ b: [Double], rows: Int, columns: Int, inner: Int
    ) -> [Double] {
        var result = [Double](repeating: 0, count: rows * columns)
        result.withUnsafeMutableBufferPointer { result in
            b.withUnsafeBufferPointer { b in
                for row in 0..<rows {
                    for k in 0..<inner {
                        let factor = a[row * inner + k]
                        for column in 0..<columns {
                            result[row * columns + column] += factor * b[k * columns + column]
                        }
                    }
                }
            }
        }
        return result
    }

    /// The lower triangle of A · Bᵀ, both `[rows, inner]`, made symmetric.
    private static func productWithTranspose(
        _ a: [Double], _ b: [Double], rows: Int, inner: Int
    ) -> [Double] {
        var result = [Double](repeating: 0, count: rows * rows)
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                for i in 0..<rows {
                    for j in 0...i {
                        var sum = SIMD8<Double>.zero
                        let whole = inner & ~7
                        for k in stride(from: 0, to: whole, by: 8) {
                            let x = UnsafeRawBufferPointer(
                                rebasing:
                                    UnsafeRawBufferPointer(a)[((i * inner + k) * 8)...])
                            let y = UnsafeRawBufferPointer(
                                rebasing:
                                    UnsafeRawBufferPointer(b)[((j * inner + k) * 8)...])
                            sum +=
                                x.loadUnaligned(as: SIMD8<Double>.self)
                                * y.loadUnaligned(as: SIMD8<Double>.self)
                        }
                        var total = sum.sum()
                        for k in whole..<inner { total += a[i * inner + k] * b[j * inner + k] }
                        result[i * rows + j] = total
                        result[j * rows + i] = total
                    }
                }
            }
        }
        return result
    }
}

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
