import Foundation

/// Eigenvalues, and if wanted eigenvectors, of a real symmetric matrix, in double precision.
///
/// Householder reflections bring the matrix to tridiagonal form, QL steps with implicit shifts make
/// that diagonal.
package struct SymmetricEigen {
    /// The eigenvalues, in no particular order.
    package let values: [Double]
    /// Row k is the eigenvector of value k, `[n, n]`; empty if none were asked for.
    package let vectors: [Double]

    /// Decomposes an `[n, n]` matrix of which the lower triangle is read.
    ///
    /// Throws `noConvergence` if an entry is not finite or an eigenvalue does not settle.
    package init(_ matrix: [Double], order n: Int, wantsVectors: Bool) throws {
        precondition(matrix.count == n * n, "a square matrix")
        let scale = matrix.reduce(0) { max($0, abs($1)) }
        guard matrix.allSatisfy(\.isFinite) else {
            throw EvaluationError(
                .noConvergence, "a matrix of \(n) × \(n) has entries that are not finite")
        }
        guard scale > 0 else {
            values = Array(repeating: 0, count: n)
            vectors = wantsVectors ? SymmetricEigen.identity(n) : []
            return
        }
        // Entries of at most 1 have squares that neither overflow nor vanish together.
        var work = Tridiagonal(matrix.map { $0 / scale }, order: n)
        // Rows are eigenvectors, so that a rotation touches two contiguous rows.
        var vectors = wantsVectors ? work.basis() : []
        try work.diagonalize(&vectors)
        values = work.diagonal.map { $0 * scale }
        self.vectors = vectors
    }

    /// The identity, `[n, n]`.
    static func identity(_ n: Int) -> [Double] {
        var matrix = [Double](repeating: 0, count: n * n)
        for i in 0..<n { matrix[i * n + i] = 1 }
        return matrix
    }
}

/// A symmetric matrix on its way to diagonal form.
private struct Tridiagonal {
    private let n: Int
    /// Row i, left of the diagonal, holds the reflection that cleared it.
    private var reflections: [Double]
    private var factors: [Double]
    private(set) var diagonal: [Double]
    /// Entry i couples i and i + 1; the last is 0.
    private var offDiagonal: [Double]

    init(_ matrix: [Double], order: Int) {
        n = order
        reflections = matrix
        factors = Array(repeating: 0, count: n)
        diagonal = Array(repeating: 0, count: n)
        offDiagonal = Array(repeating: 0, count: n)
        var product = [Double](repeating: 0, count: n)
        for row in stride(from: n - 1, to: 0, by: -1) { reflect(row, &product) }
        for row in 0..<n { diagonal[row] = reflections[row * n + row] }
    }

    /// Clears row `row` left of its last off-diagonal entry: A ← (I − βvvᵀ) A (I − βvvᵀ), with v
    /// kept in the row.
    private mutating func reflect(_ row: Int, _ product: inout [Double]) {
        let count = row
        let n = n
        var offDiagonalEntry = 0.0
        var beta = 0.0
        reflections.withUnsafeMutableBufferPointer { a in
            product.withUnsafeMutableBufferPointer { p in
                let v = UnsafeMutableBufferPointer(rebasing: a[(row * n)..<(row * n + count)])
                var squares = 0.0
                for i in 0..<count { squares += v[i] * v[i] }
                let last = v[count - 1]
                guard count > 1, squares > last * last else {
                    offDiagonalEntry = last
                    return
                }
                let alpha = last > 0 ? -squares.squareRoot() : squares.squareRoot()
                offDiagonalEntry = alpha
                v[count - 1] = last - alpha
                beta = 1 / (squares - last * alpha)
                guard beta.isFinite else {  // the row is too small to be told from zero
                    offDiagonalEntry = last
                    beta = 0
                    return
                }
                Tridiagonal.multiply(a, v, n: n, into: p)
                var overlap = 0.0
                for i in 0..<count {
                    p[i] *= beta
                    overlap += p[i] * v[i]
                }
                let half = 0.5 * beta * overlap
                for i in 0..<count { p[i] -= half * v[i] }
                for i in 0..<count {
                    let (vi, pi) = (v[i], p[i])
                    for j in 0...i { a[i * n + j] -= vi * p[j] + pi * v[j] }
                }
            }
        }
        offDiagonal[row - 1] = offDiagonalEntry
        factors[row] = beta
    }

    /// A symmetric product with the leading block, read from its lower triangle.
    private static func multiply(
        _ a: UnsafeMutableBufferPointer<Double>, _ v: UnsafeMutableBufferPointer<Double>, n: Int,
        into p: UnsafeMutableBufferPointer<Double>
    ) {
        for i in 0..<v.count {
            let row = i * n
            let vi = v[i]
            var sum = a[row + i] * vi
            for j in 0..<i {
                sum += a[row + j] * v[j]
                p[j] += a[row + j] * vi
            }
            p[i] = sum
        }
    }

    /// The product of the reflections, transposed: row k is the k-th column of Q in A = Q T Qᵀ.
    func basis() -> [Double] {
        var basis = SymmetricEigen.identity(n)
        // Qᵀ = H₁ᵀ…: applied from the smallest reflection up, each touches the leading block alone.
        basis.withUnsafeMutableBufferPointer { q in
            reflections.withUnsafeBufferPointer { a in
                for row in 1..<max(n, 1) where factors[row] != 0 {
                    for k in 0..<row {
                        var overlap = 0.0
                        for i in 0..<row { overlap += q[k * n + i] * a[row * n + i] }
                        overlap *= factors[row]
                        for i in 0..<row { q[k * n + i] -= overlap * a[row * n + i] }
                    }
                }
            }
        }
        return basis
    }

    /// QL with implicit shifts; rotations are applied to the rows of `vectors`.
    mutating func diagonalize(_ vectors: inout [Double]) throws {
        let scale = zip(diagonal, offDiagonal).reduce(0) { max($0, abs($1.0) + abs($1.1)) }
        let tiny = scale * Double.ulpOfOne * 1e-3
        for l in 0..<n {
            var rounds = 0
            while let m = splitPoint(from: l, tiny: tiny), m > l {
                rounds += 1
                guard rounds <= 60 else {
                    throw EvaluationError(
                        .noConvergence, "eigenvalue \(l + 1) of \(n) does not settle")
                }
                sweep(l, m, &vectors)
            }
        }
    }

    /// The first row from `l` on that is all but uncoupled from the next.
    private func splitPoint(from l: Int, tiny: Double) -> Int? {
        (l..<n).first { m in
            guard m + 1 < n else { return true }
            let size = abs(diagonal[m]) + abs(diagonal[m + 1])
            return abs(offDiagonal[m]) <= max(Double.ulpOfOne * size, tiny)
        }
    }

    /// One QL step on rows `l` to `m`.
    private mutating func sweep(_ l: Int, _ m: Int, _ vectors: inout [Double]) {
        let slope = (diagonal[l + 1] - diagonal[l]) / (2 * offDiagonal[l])
        let root = hypot(slope, 1)
        var g =
            diagonal[m] - diagonal[l]
            + offDiagonal[l] / (slope + (slope < 0 ? -root : root))
        var (sine, cosine, shift) = (1.0, 1.0, 0.0)
        for i in stride(from: m - 1, through: l, by: -1) {
            let f = sine * offDiagonal[i]
            let b = cosine * offDiagonal[i]
            let r = hypot(f, g)
            offDiagonal[i + 1] = r
            if r == 0 {
                diagonal[i + 1] -= shift
                offDiagonal[m] = 0
                return
            }
            sine = f / r
            cosine = g / r
            g = diagonal[i + 1] - shift
            let turned = (diagonal[i] - g) * sine + 2 * cosine * b
            shift = sine * turned
            diagonal[i + 1] = g + shift
            g = cosine * turned - b
            if !vectors.isEmpty { rotate(i, sine, cosine, &vectors) }
        }
        diagonal[l] -= shift
        offDiagonal[l] = g
        offDiagonal[m] = 0
    }

    private func rotate(_ i: Int, _ sine: Double, _ cosine: Double, _ vectors: inout [Double]) {
        let n = n
        vectors.withUnsafeMutableBufferPointer { v in
            let lower = UnsafeMutableBufferPointer(rebasing: v[(i * n)..<((i + 1) * n)])
            let upper = UnsafeMutableBufferPointer(rebasing: v[((i + 1) * n)..<((i + 2) * n)])
            for k in 0..<n {
                let (a, b) = (lower[k], upper[k])
                upper[k] = sine * a + cosine * b
                lower[k] = cosine * a - sine * b
            }
        }
    }
}
