import PosedServing
import PosedTesting
import PosedVision
import Testing

/// The same request and seed give the same picture, alone and among neighbours.
@Suite struct NeighbourTests {
    private struct Request: Sendable {
        let shade: UInt8
        let pose: Int
        let settings: FrameSettings
        let sources: Int
    }

    /// Requests of many kinds: solvers, steps, guidance, sizes, and references of one and two sources.
    private static let requests: [Request] = {
        let kinds: [(String, Int, Double)] = [
            ("heun", 3, 1.4), ("euler", 5, 1), ("rk4", 2, 1.1), ("midpoint", 4, 1), ("euler", 1, 2),
            ("heun", 2, 1), ("kutta3", 3, 0.5), ("euler", 9, 1.1), ("dormand-prince", 1, 1.3),
        ]
        var requests: [Request] = []
        for (index, kind) in kinds.enumerated() {
            var settings = TinyEngine.settings(
                solver: kind.0, steps: kind.1, guidance: kind.2, seed: UInt64(index % 3))
            if index % 4 == 3 { (settings.width, settings.height) = (96, 64) }
            requests.append(
                Request(
                    shade: UInt8(40 * (index % 2)), pose: index, settings: settings,
                    sources: 1 + index % 2))
        }
        // One that chooses its steps.
        var adaptive = TinyEngine.settings(solver: "bogacki-shampine", guidance: 1.2)
        (adaptive.steps, adaptive.evaluations) = (nil, 18)
        requests.append(Request(shade: 0, pose: 3, settings: adaptive, sources: 1))
        return requests
    }()

    private func picture(_ request: Request, _ engine: ServingEngine) async throws -> Image {
        let sources = try (0..<request.sources).map {
            try TinyEngine.picture(request.shade + UInt8(10 * $0))
        }
        return try await engine.synthesize(
            FrameRequest(
                subject: .pictures(sources, model: nil), pose: try TinyEngine.pose(request.pose),
                settings: request.settings), owner: "owner"
        ).image
    }

    /// With kernels that sum in one order whatever the batch, to the last bit; else nearly.
    @Test(arguments: UsableDevices.names, [5, 16])
    func neighboursDoNotShow(_ backend: String, rows: Int) async throws {
        let tiny = try await TinyEngine.make(backend) { $0.batchRows = .fixed(rows) }
        var alone: [Image] = []
        for request in Self.requests { alone.append(try await picture(request, tiny.engine)) }
        for _ in 0..<2 {
            let together = try await withThrowingTaskGroup(of: (Int, Image).self) { group in
                for (index, request) in Self.requests.enumerated() {
                    group.addTask { (index, try await picture(request, tiny.engine)) }
                }
                var made: [Int: Image] = [:]
                for try await (index, image) in group { made[index] = image }
                return made
            }
            for (index, image) in alone.enumerated() {
                let other = try #require(together[index])
                if backend == "blas" || backend.hasPrefix("cpu") {
                    #expect(other == image, "request \(index) on \(backend)")
                } else {
                    let furthest = zip(other.bytes, image.bytes).map { abs(Int($0) - Int($1)) }
                        .max()
                    #expect(try #require(furthest) <= 24, "request \(index) on \(backend)")
                }
            }
        }
        #expect(tiny.engine.statistics.batchRows > tiny.engine.statistics.batches)
        await tiny.engine.shutDown()
    }
}
