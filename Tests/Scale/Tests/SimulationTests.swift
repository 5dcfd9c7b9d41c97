import PosedScale
import Testing

/// The simulation, in small.
@Suite struct SimulationTests {
    private static let policies: [Policy] = [
        .hash(weight: 2, factor: nil), .hash(weight: 2, factor: 150), .moving,
    ]

    private func workload(seed: UInt64 = 3, deaths: Double = 20) -> Workload {
        Workload(replicas: 5, sessions: 60, utilization: 0.6, deaths: deaths, seed: seed)
    }

    /// Each pose gets its frame, although replicas die.
    @Test(arguments: policies)
    func losesNothing(policy: Policy) {
        let outcome = Simulation.run(workload(), policy, seed: 3)
        #expect(outcome.deaths > 0)
        #expect(outcome.lost == 0 && outcome.unended == 0)
        #expect(outcome.latencies.count == outcome.frames)
        #expect(outcome.latencies.allSatisfy { $0 > 0 })
        #expect(outcome.reencodings > 0 && outcome.moved > 0)
        #expect(outcome.aboveShare == 0)
    }

    @Test(arguments: policies)
    func dependsOnTheSeedAlone(policy: Policy) {
        let outcome = Simulation.run(workload(), policy, seed: 3)
        #expect(outcome == Simulation.run(workload(), policy, seed: 3))
        #expect(outcome.latencies != Simulation.run(workload(seed: 4), policy, seed: 4).latencies)
    }

    /// Without deaths a plain hash never sends a session anywhere else, so nothing is encoded twice.
    @Test func hashAloneMovesNothing() {
        let outcome = Simulation.run(
            workload(deaths: 0), .hash(weight: 2, factor: nil), seed: 3)
        #expect(outcome.moved == 0 && outcome.reencodings == 0 && outcome.handed == 0)
    }

    /// The bound keeps streams apart, for the price of some sessions that move.
    @Test func boundedLoadSpreads() {
        let plain = Simulation.run(workload(deaths: 0), .hash(weight: 1, factor: nil), seed: 3)
        let bounded = Simulation.run(workload(deaths: 0), .hash(weight: 1, factor: 150), seed: 3)
        #expect(bounded.mostStreams < plain.mostStreams)
        #expect(bounded.moved > plain.moved)
    }
}
