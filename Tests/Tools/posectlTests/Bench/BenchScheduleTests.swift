import Testing

import posectl

@Suite struct BenchScheduleTests {
    @Test func withoutAProcessRequestsAreDueWhenSomebodyAsks() {
        let schedule = BenchSchedule(process: nil, seconds: 5, frames: 2)
        #expect(schedule.next(at: 0) == BenchSchedule.Turn(index: 0, due: nil))
        #expect(schedule.next(at: 1) == BenchSchedule.Turn(index: 1, due: nil))
        #expect(schedule.next(at: 1) == nil)
        #expect(BenchSchedule(process: nil, seconds: 5, frames: nil).next(at: 5) == nil)
    }

    @Test func regularRequestsAreDueAtTheirTimes() {
        let schedule = BenchSchedule(
            process: ArrivalProcess(.regular, rate: 4, seed: 1), seconds: 1, frames: nil)
        // However late somebody asks, none is left out.
        let times = [0, 0.9, 0.9].compactMap { schedule.next(at: $0)?.due }
        #expect(times == [0.25, 0.5, 0.75])
        #expect(schedule.next(at: 0.9) == nil)
        #expect(schedule.next(at: 0) == nil)
    }

    @Test func requestsByChanceComeAtTheirRate() {
        var process = ArrivalProcess(.poisson, rate: 50, seed: 3)
        let times = (0..<20_000).map { _ in process.next() }
        #expect(zip(times.dropFirst(), times).allSatisfy { $0 >= $1 })
        #expect(abs((times.last ?? 0) / 400 - 1) < 0.05)
        let gaps = Distribution(zip(times.dropFirst(), times).map { $0 - $1 })
        // An exponential distribution deviates by its mean.
        #expect(abs(gaps.deviation / gaps.mean - 1) < 0.05)
        var again = ArrivalProcess(.poisson, rate: 50, seed: 3)
        #expect(again.next() == times[0])
    }
}
