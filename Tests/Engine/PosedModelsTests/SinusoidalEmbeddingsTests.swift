import PosedModels
import Testing

@Suite struct SinusoidalEmbeddingsTests {
    /// The first half of the features is the column's, the second the row's.
    @Test func placesColumnsBeforeRows() {
        let table = SinusoidalEmbeddings.positions(rows: 2, columns: 3, features: 8)
        #expect(table.count == 2 * 3 * 8)
        let origin = Array(table[0..<8])
        #expect(origin == [0, 0, 1, 1, 0, 0, 1, 1])
        let right = Array(table[8..<16])
        #expect(abs(right[0] - 0.841_471) < 1e-6 && right[4] == 0)
        let below = Array(table[24..<32])
        #expect(below[0] == 0 && abs(below[4] - 0.841_471) < 1e-6)
    }

    @Test func embedsTimeAsCosinesThenSines() {
        let start = SinusoidalEmbeddings.time(0)
        #expect(start.count == SinusoidalEmbeddings.timeFeatures)
        #expect(start.prefix(128).allSatisfy { $0 == 1 })
        #expect(start.suffix(128).allSatisfy { $0 == 0 })
        let later = SinusoidalEmbeddings.time(0.001)
        #expect(abs(later[0] - 0.540_302) < 1e-6 && abs(later[128] - 0.841_471) < 1e-6)
    }
}
