import Testing

import posectl

@Suite struct DistributionTests {
    @Test func percentilesAreOfTheNearestRank() {
        let distribution = Distribution((1...100).map(Double.init).shuffled())
        #expect(distribution.p50 == 50)
        #expect(distribution.p90 == 90)
        #expect(distribution.p99 == 99)
        #expect(distribution.max == 100)
        #expect(distribution.mean == 50.5)
        #expect(abs(distribution.deviation - 28.866) < 0.001)
    }

    @Test func fewNumbersHavePercentilesToo() {
        let one = Distribution([7])
        #expect([one.p50, one.p90, one.p99, one.max, one.mean] == [7, 7, 7, 7, 7])
        #expect(one.deviation == 0)
        let two = Distribution([1, 2])
        #expect(two.p50 == 1)
        #expect(two.p90 == 2)
    }

    @Test func nothingIsZeros() {
        let none = Distribution([])
        #expect(none.count == 0)
        #expect(none.p99 == 0)
        #expect(none.summary == "–")
    }
}
