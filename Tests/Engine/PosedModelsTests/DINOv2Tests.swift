import Foundation
import PosedBackend
import PosedModels
import PosedTensor
import PosedTesting
import PosedWeights
import Testing

/// DINOv2 against transformers: both classes, both kinds of MLP, with and without interpolation.
@Suite struct DINOv2Tests {
    static let cases: [(model: String, name: String)] =
        ["", ".native", ".large", ".oblong"].flatMap {
            [("tiny", "source_encoder\($0)"), ("tiny", "pose_encoder\($0)")]
        } + [
            ("tiny-no-aggregation", "source_encoder"),
            ("tiny-no-aggregation", "source_encoder.native"),
        ]

    private func load(_ golden: PartGolden, on compute: Compute) throws -> DINOv2 {
        let part = golden.name.split(separator: ".").first.map(String.init) ?? ""
        return try DINOv2.load(folder: golden.folder(part), on: compute).model
    }

    @Test(arguments: PartGolden.cases(cases))
    func encodes(_ golden: PartGolden) throws {
        let compute = try UsableDevices.compute(golden.backend)
        let encoder = try load(golden, on: compute)
        let pixels = try golden.image("pixel_values", on: compute)
        let tokens = try encoder(pixels, on: compute)
        #expect(tokens.shape[1] == encoder.tokens(height: pixels.shape[1], width: pixels.shape[2]))
        #expect(tokens.shape[2] == encoder.features)
        try golden.expect(tokens: tokens, "last_hidden_state", on: compute)
    }

    @Test(arguments: PartGolden.cases([("tiny", "pose_encoder.large")]))
    func canBeCaptured(_ golden: PartGolden) throws {
        let compute = try UsableDevices.compute(golden.backend)
        let encoder = try load(golden, on: compute)
        let pixels = try golden.image("pixel_values", on: compute)
        let (height, width) = (pixels.shape[1], pixels.shape[2])
        let result = try compute.persistent(
            [1, encoder.tokens(height: height, width: width), encoder.features], .f32)
        let positions = try encoder.prepare(height: height, width: width, on: compute)
        let graph = try withExtendedLifetime(positions) {
            try compute.capture {
                try compute.copy(encoder(pixels, on: compute), to: result)
            }
        }
        // Pictures of many other sizes come and go, and take the memory of what is given up.
        let patch = encoder.configuration.patchSize
        for columns in 1...20 {
            let other = try compute.tensor(
                [Float](repeating: 0.5, count: 4 * patch * columns * patch * 3),
                [1, 4 * patch, columns * patch, 3])
            _ = try encoder(other, on: compute)
        }
        try compute.launch(graph)
        try golden.expect(tokens: result, "last_hidden_state", on: compute)
    }

    /// Pixels to the right of and below the last whole patch do not count.
    @Test(arguments: PartGolden.cases([("tiny", "source_encoder")]))
    func dropsPartialPatches(_ golden: PartGolden) throws {
        let compute = try UsableDevices.compute(golden.backend)
        let encoder = try load(golden, on: compute)
        let pixels = try golden.image("pixel_values", on: compute)
        let s = pixels.shape
        let larger = try compute.tensor(
            [Float](repeating: 9, count: s[0] * (s[1] + 5) * (s[2] + 5) * s[3]),
            [s[0], s[1] + 5, s[2] + 5, s[3]])
        try compute.copy(
            pixels, to: larger.sliced(axis: 1, 0..<s[1]).sliced(axis: 2, 0..<s[2]))
        try golden.expect(
            tokens: encoder(larger, on: compute), "last_hidden_state", on: compute)
    }

    @Test(arguments: UsableDevices.names)
    func refusesPicturesThatDoNotFit(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend)
        let folder = Goldens.url("tiny/source_encoder").path
        let (encoder, report) = try DINOv2.load(folder: folder, on: compute)
        #expect(report.unused == 1)
        for shape in [[1, 13, 56, 3], [1, 56, 56, 1], [56, 56, 3]] {
            let pixels = try compute.persistent(shape, .f32)
            let error = #expect(throws: ModelError.self) { try encoder(pixels, on: compute) }
            #expect(error?.message.contains("\(shape)") == true)
        }
    }

    @Test(arguments: UsableDevices.names)
    func refusesTensorsThatDoNotFit(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend)
        let part = try TemporaryPart(
            "tiny/source_encoder", file: "model", settings: ["image_size": 84]
        ) { $0.name == "encoder.layer.1.attention.attention.key.bias" ? nil : $0 }
        let error = #expect(throws: WeightsError.self) {
            try DINOv2.load(folder: part.folder, on: compute)
        }
        let message = error?.message ?? ""
        #expect(message.contains("embeddings.position_embeddings"))
        #expect(message.contains("encoder.layer.1.attention.attention.key.bias"))
    }

    /// A file without biases of queries, keys and values.
    @Test(arguments: UsableDevices.names)
    func loadsWithoutBiases(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend)
        let part = try TemporaryPart(
            "tiny/source_encoder", file: "model", settings: ["qkv_bias": false]
        ) { tensor in
            let isBias =
                tensor.name.contains("attention.attention") && tensor.name.hasSuffix("bias")
            return isBias ? nil : tensor
        }
        let encoder = try DINOv2.load(folder: part.folder, on: compute).model
        let pixels = try compute.tensor(
            [Float](repeating: 0.5, count: 28 * 28 * 3), [1, 28, 28, 3])
        let values = try compute.floats(encoder(pixels, on: compute))
        let isFinite = values.allSatisfy { $0.isFinite }
        #expect(isFinite)
    }
}
