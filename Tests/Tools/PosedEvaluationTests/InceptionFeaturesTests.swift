import Foundation
import PosedBackend
import PosedEvaluation
import PosedModels
import PosedTesting
import PosedWeights
import Testing

/// FID's Inception against pytorch-fid's, with weights that both sides make by a formula
/// (`Tests/Goldens/export_inception.py --golden`).
@Suite struct InceptionFeaturesTests {
    private struct Golden: Decodable {
        let width: Int
        let height: Int
        let seed: Int
        let mean: Double
        let every16th: [Double]
    }

    @Test func agreesWithThePackage() throws {
        let data = try Data(contentsOf: Goldens.url("inception.json"))
        let goldens = try JSONDecoder().decode([Golden].self, from: data)
        let network = try InceptionFeatures(
            WeightReader(named: "formula", generating: Self.formula),
            on: try UsableDevices.compute("blas", precision: .f32))
        #expect(goldens.count == 2)
        for golden in goldens {
            let features = try network.features(
                try PictureGoldens.pattern(
                    width: golden.width, height: golden.height, seed: golden.seed))
            #expect(features.count == network.dimension)
            let mean = features.reduce(0) { $0 + Double($1) } / Double(features.count)
            #expect(abs(mean - golden.mean) < 1e-4 * golden.mean)
            let some = stride(from: 0, to: features.count, by: 16).map { Double(features[$0]) }
            let worst = zip(some, golden.every16th).map { abs($0 - $1) }.max()
            #expect(try #require(worst) < 1e-3 * golden.mean)
        }
    }

    @Test func refusesOtherFoldersByName() throws {
        let compute = try UsableDevices.compute("blas", precision: .f32)
        let error = #expect(throws: ModelError.self) {
            try InceptionFeatures(
                folder: Goldens.model("tiny").path + "/source_encoder", on: compute)
        }
        #expect(error?.message.contains("--fd-dinov2") == true)
        let vae = #expect(throws: ModelError.self) {
            try InceptionFeatures(folder: Goldens.model("tiny").path + "/vae", on: compute)
        }
        #expect(vae?.message.contains("FIDInceptionV3") == true)
    }

    /// The weights of `export_inception.py`.
    private static func formula(_ name: String, _ shape: [Int]) -> [Float] {
        var digest: UInt32 = 0x811C_9DC5
        for byte in name.utf8 { digest = (digest ^ UInt32(byte)) &* 0x0100_0193 }
        let isPositive = name.hasSuffix("running_var") || name.hasSuffix("bn.weight")
        let fanIn = Double(shape.dropFirst().reduce(1, *))
        let scale = (12 / fanIn).squareRoot() * 2.0.squareRoot()
        let count = shape.reduce(1, *)
        return [Float](unsafeUninitializedCapacity: count) { values, filled in
            for index in 0..<count {
                var bits = UInt32(truncatingIfNeeded: index) &* 0x9E37_79B9 &+ digest
                bits = (bits ^ (bits >> 16)) &* 0x85EB_CA6B
                let unit = Double(bits >> 8) * 0x1p-24
                values[index] = Float(
                    isPositive
                        ? 0.5 + unit : (unit - 0.5) * (shape.count == 1 ? 0.2 : scale))
            }
            filled = count
        }
    }
}
