import ArgumentParser
import Glibc

/// Simulates replicas behind a router, and prints a line of CSV for each policy and number of replicas.
@main
struct Scale: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "PosedScale",
        abstract: "Simulate many replicas behind a router, and print CSV.")

    @Option(help: "Numbers of replicas, with commas between.")
    var replicas = "10,100,1000"

    @Option(help: "Sessions of each run.")
    var sessions = 100_000

    @Option(help: "The share of the replicas' time that frames and sources take.")
    var utilization = 0.6

    @Option(help: "How many of a hundred replicas die.")
    var deaths = 2.0

    @Option(help: "The same seed gives the same output.")
    var seed: UInt64 = 1

    @Option(help: "Policies whose name has this in it.")
    var only = ""

    private static let policies: [Policy] = [
        .hash(weight: 1, factor: nil), .hash(weight: 1, factor: 150),
        .hash(weight: 16, factor: nil), .hash(weight: 16, factor: 150),
        .moving,
    ]

    func validate() throws {
        guard sessions > 0, 0.01...0.95 ~= utilization, 0...100 ~= deaths else {
            throw ValidationError(
                "--sessions is at least 1, --utilization 0.01 to 0.95, --deaths 0 to 100.")
        }
        guard try counts().allSatisfy({ 1...4096 ~= $0 }) else {
            throw ValidationError("--replicas are numbers from 1 to 4096, as in 10,100.")
        }
    }

    private func counts() throws -> [Int] {
        try replicas.split(separator: ",").map { text in
            guard let count = Int(text) else {
                throw ValidationError("--replicas: \"\(text)\" is no number.")
            }
            return count
        }
    }

    func run() throws {
        print(Outcome.columns)
        for count in try counts() {
            let workload = Workload(
                replicas: count, sessions: sessions, utilization: utilization, deaths: deaths,
                seed: seed)
            for policy in Self.policies where only.isEmpty || policy.description.contains(only) {
                print(Simulation.run(workload, policy, seed: seed).line)
                fflush(nil)
            }
        }
    }
}
