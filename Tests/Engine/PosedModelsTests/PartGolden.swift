import Foundation
import PosedBackend
import PosedTensor
import PosedTesting
import PosedWeights
import Testing

/// One case of `Tests/Goldens/*/expected`.
struct PartGolden: CustomTestStringConvertible, Sendable {
    let model: String
    /// The file in `expected`, without its suffix.
    let name: String
    let backend: String

    var testDescription: String { "\(model) \(name) on \(backend)" }

    /// Every case on every usable backend, and in every way.
    static func cases(_ names: [(model: String, name: String)]) -> [PartGolden] {
        UsableDevices.ways.flatMap { backend in
            names.map { PartGolden(model: $0.model, name: $0.name, backend: backend) }
        }
    }

    /// The folder of a part of the model.
    func folder(_ part: String) -> String {
        Goldens.model(model).appendingPathComponent(part).path
    }

    /// A tensor of the case.
    func tensor(_ key: String) throws -> WeightTensor {
        try SafetensorsFile(
            path: Goldens.url("\(model)/expected/\(name).safetensors").path
        ).tensor(key)
    }

    /// Pictures or latents [N, C, H, W] of the case as a tensor [N, H, W, C].
    func image(_ key: String, on compute: Compute) throws -> Tensor {
        let tensor = try tensor(key)
        let s = tensor.shape
        return try compute.tensor(
            Layout.channelsLast(tensor.floats(), s), [s[0], s[2], s[3], s[1]])
    }

    /// Compares [N, H, W, C] with the case's [N, C, H, W].
    func expect(image result: Tensor, _ key: String, on compute: Compute) throws {
        let expected = try tensor(key)
        let s = expected.shape
        #expect(result.shape == [s[0], s[2], s[3], s[1]])
        let values = Layout.channelsFirst(try compute.floats(result), result.shape)
        expect(values, expected.floats(), in: compute.precision)
    }

    /// Compares tokens.
    func expect(tokens result: Tensor, _ key: String, on compute: Compute) throws {
        let expected = try tensor(key)
        #expect(result.shape == expected.shape)
        expect(try compute.floats(result), expected.floats(), in: compute.precision)
    }

    func expect(_ values: [Float], _ expected: [Float], in precision: DType) {
        let error = relativeError(values, expected)
        #expect(error <= (precision == .f32 ? 1e-4 : 2e-2), "\(testDescription): \(error)")
    }
}
