import PosedEvaluation
import PosedTesting
import Testing

@Suite struct SymmetricEigenTests {
    struct Eigen: Decodable {
        let matrix: [Double]
        let values: [Double]
    }

    struct Cases: Decodable { let eigen: Eigen }

    /// The largest entry of A v − λ v, over all pairs.
    private func residual(_ matrix: [Double], _ eigen: SymmetricEigen, _ n: Int) -> Double {
        var worst = 0.0
        for k in 0..<n {
            for i in 0..<n {
                let product = (0..<n).reduce(0) {
                    $0 + matrix[i * n + $1] * eigen.vectors[k * n + $1]
                }
                worst = max(worst, abs(product - eigen.values[k] * eigen.vectors[k * n + i]))
            }
        }
        return worst
    }

    @Test func agreesWithLAPACK() throws {
        let golden = try PictureGoldens.load("metrics.json", as: Cases.self).eigen
        let eigen = try SymmetricEigen(golden.matrix, order: 9, wantsVectors: true)
        for (value, expected) in zip(eigen.values.sorted(), golden.values) {
            #expect(abs(value - expected) < 1e-12)
        }
        #expect(residual(golden.matrix, eigen, 9) < 1e-12)
        let alone = try SymmetricEigen(golden.matrix, order: 9, wantsVectors: false)
        #expect(alone.values == eigen.values && alone.vectors.isEmpty)
    }

    @Test(arguments: [1, 2, 5, 40])
    func awkwardMatrices(n: Int) throws {
        let zero = [Double](repeating: 0, count: n * n)
        #expect(
            try SymmetricEigen(zero, order: n, wantsVectors: true).values.allSatisfy { $0 == 0 })
        var diagonal = zero
        for i in 0..<n { diagonal[i * n + i] = Double(i) }
        let eigen = try SymmetricEigen(diagonal, order: n, wantsVectors: true)
        for (index, value) in eigen.values.sorted().enumerated() {
            #expect(abs(value - Double(index)) < 1e-12)
        }
        for scale in [1e-200, 1, 1e200] {
            let ones = [Double](repeating: scale, count: n * n)
            let rankOne = try SymmetricEigen(ones, order: n, wantsVectors: true)
            let largest = rankOne.values.max() ?? 0
            #expect(abs(largest - Double(n) * scale) < 1e-12 * Double(n) * scale)
            #expect(residual(ones, rankOne, n) < 1e-12 * Double(n) * scale)
        }
    }

    @Test func nothingAndNaN() throws {
        #expect(try SymmetricEigen([], order: 0, wantsVectors: true).values.isEmpty)
        let matrix = [Double](repeating: .nan, count: 9)
        expectCode(.noConvergence) {
            _ = try SymmetricEigen(matrix, order: 3, wantsVectors: false)
        }
    }
}
