/// The Fréchet distance of two sets of features, each taken for a normal distribution.
///
/// |μ₁ − μ₂|² + tr Σ₁ + tr Σ₂ − 2 tr √(Σ₁Σ₂). The last trace is that of √(√Σ₁ Σ₂ √Σ₁), which is
/// symmetric and so needs no root of a general matrix; directions in which Σ₁ has no extent beyond
/// rounding are left out, so that sets with fewer vectors than features are no special case.
package enum FrechetDistance {
    /// The distance, never negative. Throws `sizeMismatch`, `tooFewFeatures` or `noConvergence`.
    package static func value(
        _ first: FeatureStatistics, _ second: FeatureStatistics
    ) throws -> Double {
        let n = first.dimension
        guard second.dimension == n else {
            throw EvaluationError(
                .sizeMismatch,
                "sets of \(n) and of \(second.dimension) features cannot be compared")
        }
        let covariance1 = try first.covariance()
        let covariance2 = try second.covariance()
        let offset = zip(first.mean, second.mean).reduce(0) { sum, means in
            sum + (means.0 - means.1) * (means.0 - means.1)
        }
        let traces = (0..<n).reduce(0) { $0 + covariance1[$1 * n + $1] + covariance2[$1 * n + $1] }
        let common = try rootTrace(covariance1, covariance2, order: n)
        return max(offset + traces - 2 * common, 0)
    }

    /// tr √(√A B √A) of positive semi-definite `[n, n]` matrices.
    private static func rootTrace(_ a: [Double], _ b: [Double], order n: Int) throws -> Double {
        let eigen = try SymmetricEigen(a, order: n, wantsVectors: true)
        let threshold = (eigen.values.max() ?? 0) * Double(n) * Double.ulpOfOne
        let kept = eigen.values.indices.filter { eigen.values[$0] > threshold }
        // Rows of W are the eigenvectors of A, scaled by the roots of their values: √A's own basis.
        var w = [Double](repeating: 0, count: kept.count * n)
        for (row, index) in kept.enumerated() {
            let root = eigen.values[index].squareRoot()
            for i in 0..<n { w[row * n + i] = eigen.vectors[index * n + i] * root }
        }
        let wb = product(w, b, rows: kept.count, columns: n, inner: n)
        let inner = productWithTranspose(wb, w, rows: kept.count, inner: n)
        let values = try SymmetricEigen(inner, order: kept.count, wantsVectors: false).values
        return values.reduce(0) { $0 + max($1, 0).squareRoot() }
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
