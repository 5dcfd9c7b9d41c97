import Foundation
import PosedBackend
import PosedEvaluation
import PosedModels
import PosedTesting
import PosedVision
import PosedWeights
import Testing

/// LPIPS against the lpips package, with weights that both sides make by a formula
/// (`Tests/Goldens/export_lpips.py --golden`).
@Suite struct LPIPSTests {
    private struct Golden: Decodable {
        let width: Int
        let height: Int
        let distance: Double
    }

    @Test(arguments: ["alex", "vgg"])
    func agreesWithThePackage(net: String) throws {
        let data = try Data(contentsOf: Goldens.url("lpips.json"))
        let golden = try #require(try JSONDecoder().decode([String: Golden].self, from: data)[net])
        let lpips = try Self.network(net)
        let features = try [1, 2].map { seed in
            try lpips.features(
                try PictureGoldens.pattern(width: golden.width, height: golden.height, seed: seed))
        }
        let distance = lpips.distance(features[0], features[1])
        #expect(abs(distance - golden.distance) < 1e-5 * golden.distance)
        #expect(lpips.distance(features[0], features[0]) == 0)
    }

    @Test func refusesWhatItCannotSee() throws {
        let lpips = try Self.network("alex")
        #expect(throws: EvaluationError.self) {
            try lpips.features(try Image(width: 12, height: 12, filledWith: .black))
        }
        #expect(throws: ModelError.self) { try Self.network("squeeze") }
    }

    private static func network(_ net: String) throws -> LPIPS {
        let reader = WeightReader(named: "formula", generating: formula)
        return try LPIPS(
            net: net, reader, name: "formula",
            on: try UsableDevices.compute("blas", precision: .f32))
    }

    /// The weights of `export_lpips.py`.
    private static func formula(_ name: String, _ shape: [Int]) -> [Float] {
        let digest = name.utf8.reduce(0x811C_9DC5 as UInt32) {
            ($0 ^ UInt32($1)) &* 0x0100_0193
        }
        let fanIn = Double(shape.dropFirst().reduce(1, *))
        return (0..<shape.reduce(1, *)).map { index in
            var bits = UInt32(truncatingIfNeeded: index) &* 0x9E37_79B9 &+ digest
            bits = (bits ^ (bits >> 16)) &* 0x85EB_CA6B
            let unit = Double(bits >> 8) * 0x1p-24
            if name.hasPrefix("lin") { return Float(unit) }
            if shape.count == 1 { return Float(0.1 * (unit - 0.5)) }
            return Float((unit - 0.5) * (12 / fanIn).squareRoot() * 2.0.squareRoot())
        }
    }
}
