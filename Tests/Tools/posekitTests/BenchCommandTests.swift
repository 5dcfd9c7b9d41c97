import Foundation
import PosedTesting
import Testing

/// `posekit bench`: the names and the form of its results.
@Suite struct BenchCommandTests {
    private func bench(_ more: [String]) async throws -> (
        outcome: BuiltProgram.Outcome, json: Data?
    ) {
        try await PosekitProcess.withFolder { folder in
            let outcome = try await PosekitProcess.run(
                [
                    "bench", "--model", PosekitProcess.golden("tiny"), "--backend", "blas",
                    "--runs", "2", "--json", folder + "/bench.json",
                ] + more)
            return (outcome, FileManager.default.contents(atPath: folder + "/bench.json"))
        }
    }

    private func object(_ json: Data?) throws -> [String: Any] {
        let data = try #require(json)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func measuresEveryPart() async throws {
        let (outcome, json) = try await bench(["--batch", "1,2"])
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
        let report = try object(json)
        let results = try #require(report["results"] as? [[String: Any]])
        let names = results.compactMap { $0["what"] as? String }
        #expect(
            names == [
                "velocity.h128d2.b1", "velocity.h128d2.b2", "velocity.h128d2.ref.b1",
                "velocity.h128d2.ref.b2", "vae.encode.64", "vae.decode.64", "dinov2-h64.56",
                "session.source", "session.pose", "solve.h128d2.ref.heun.nfe15.b1",
                "solve.h128d2.ref.heun.nfe15.b2",
            ])
        for result in results {
            #expect(result["backend"] as? String == "blas")
            #expect(result["dtype"] as? String == "f32")
            #expect(result["runs"] as? Int == 2)
            #expect((result["median_ms"] as? Double ?? 0) > 0)
        }
        #expect((report["peak_rss_bytes"] as? Int ?? 0) > 1_000_000)
        #expect((report["load_seconds"] as? [String: Double])?["blas"] != nil)
    }

    @Test func measuresOnlyWhatIsAskedFor() async throws {
        let (outcome, json) = try await bench(["--only", "velocity.*.ref.b2,vae.dec"])
        #expect(outcome.status == 0)
        let report = try object(json)
        let results = try #require(report["results"] as? [[String: Any]])
        #expect(
            results.compactMap { $0["what"] as? String }
                == ["velocity.h128d2.ref.b2", "vae.decode.64"])
    }

    @Test func refusesAnUnknownName() async throws {
        let (outcome, json) = try await bench(["--only", "nosuch"])
        #expect(outcome.status == 1 && outcome.complaints.count == 1)
        #expect(json == nil)
    }
}
