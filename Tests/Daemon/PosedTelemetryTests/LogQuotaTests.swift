internal import PosedTelemetry
internal import Testing

@Suite("A quota of lines")
struct LogQuotaTests {
    private let begin = ContinuousClock.now

    @Test("lets so many through in a period, and says how many it withheld")
    func withholds() {
        let quota = LogQuota(lines: 2, period: .seconds(10))
        #expect(quota.take(at: begin) == 0)
        #expect(quota.take(at: begin + .seconds(1)) == 0)
        for second in 2..<10 { #expect(quota.take(at: begin + .seconds(second)) == nil) }
        #expect(quota.take(at: begin + .seconds(10)) == 8)
        #expect(quota.take(at: begin + .seconds(10)) == 0)
        #expect(quota.take(at: begin + .seconds(11)) == nil)
    }

    @Test("begins a period with its first line, however long nothing came")
    func periods() {
        let quota = LogQuota(lines: 1, period: .seconds(10))
        #expect(quota.take(at: begin + .seconds(500)) == 0)
        #expect(quota.take(at: begin + .seconds(509)) == nil)
        #expect(quota.take(at: begin + .seconds(510)) == 1)
        #expect(quota.take(at: begin + .seconds(519)) == nil)
    }
}
