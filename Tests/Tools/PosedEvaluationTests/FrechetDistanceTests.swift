import PosedEvaluation
import PosedTesting
import Testing

@Suite struct FrechetDistanceTests {
    struct Sets: Decodable {
        let name: String
        let first: [[Float]]
        let second: [[Float]]
        let distance: Double
    }

    struct Cases: Decodable { let sets: [Sets] }

    private func statistics(_ vectors: [[Float]]) throws -> FeatureStatistics {
        var statistics = FeatureStatistics(dimension: vectors[0].count)
        for vector in vectors { try statistics.add(vector) }
        return statistics
    }

    @Test func agreesWithItsDefinition() throws {
        let cases = try PictureGoldens.load("metrics.json", as: Cases.self).sets
        #expect(cases.count == 3)
        for entry in cases {
            let first = try statistics(entry.first)
            let second = try statistics(entry.second)
            let distance = try FrechetDistance(to: first).value(second)
            #expect(abs(distance - entry.distance) < 1e-9 * max(1, entry.distance), "\(entry.name)")
            let reverse = try FrechetDistance(to: second).value(first)
            #expect(abs(reverse - distance) < 1e-8 * max(1, distance), "\(entry.name)")
            #expect(try FrechetDistance(to: first).value(first) < 1e-8, "\(entry.name)")
        }
    }

    @Test func equalVectorsAreApartByTheirMeansAlone() throws {
        let first = try statistics([[1, 2], [1, 2], [1, 2]])
        let second = try statistics([[4, 6], [4, 6]])
        #expect(try FrechetDistance(to: first).value(second) == 25)
    }

    @Test func badSetsAreRefused() throws {
        var few = FeatureStatistics(dimension: 2)
        try few.add([1, 2])
        let plain = try statistics([[1, 2], [3, 5]])
        let wide = try statistics([[1, 2, 3], [3, 5, 8]])
        expectCode(.tooFewFeatures) { _ = try FrechetDistance(to: few).value(plain) }
        expectCode(.sizeMismatch) { _ = try FrechetDistance(to: wide).value(plain) }
        expectCode(.sizeMismatch) { try few.add([1]) }
        expectCode(.nonFiniteFeature) { try few.add([1, .nan]) }
        #expect(few.count == 1)
    }
}
