import Foundation
import PosedSolvers
import PosedTesting
import Testing

@Suite struct GaussianNoiseTests {
    private struct Golden: Decodable {
        struct Case: Decodable {
            let seed: String
            let values: [Float]
        }
        struct Summary: Decodable {
            let seed: String
            let count: Int
            let sum: Double
            let squares: Double
        }
        let cases: [Case]
        let summary: Summary
    }

    private func golden() throws -> Golden {
        try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: Goldens.url("noise.json")))
    }

    @Test func philoxGivesThePublishedWords() {
        // The generator's published answer for a counter and a key of zeros.
        let words = Philox(seed: 0).block(0)
        #expect(words == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
    }

    @Test func agreesWithTheReference() throws {
        for golden in try golden().cases {
            let seed = try #require(UInt64(golden.seed))
            let values = GaussianNoise.make(count: golden.values.count, seed: seed)
            for (value, expected) in zip(values, golden.values) {
                // One unit in the last place, where two mathematical libraries may round
                // differently.
                #expect(abs(value - expected) <= expected.ulp, "seed \(seed)")
            }
        }
    }

    @Test func agreesInAWholeLatent() throws {
        let summary = try golden().summary
        let values = GaussianNoise.make(
            count: summary.count, seed: try #require(UInt64(summary.seed)))
        let sum = values.reduce(0) { $0 + Double($1) }
        let squares = values.reduce(0) { $0 + Double($1) * Double($1) }
        #expect(abs(sum - summary.sum) < 1e-3)
        #expect(abs(squares - summary.squares) < 1e-2)
        #expect(abs(squares / Double(summary.count) - 1) < 0.05)
    }

    @Test func isAPrefixOfLongerNoise() {
        let long = GaussianNoise.make(count: 64, seed: 3)
        for count in [0, 1, 5, 63] {
            #expect(GaussianNoise.make(count: count, seed: 3) == Array(long.prefix(count)))
        }
        #expect(GaussianNoise.make(count: 64, seed: 4) != long)
    }

    @Test func isFiniteAtTheEdgesOfTheWords() {
        let values = GaussianNoise.make(count: 1 << 18, seed: .max)
        #expect(values.allSatisfy { $0.isFinite && abs($0) < 7 })
    }
}
