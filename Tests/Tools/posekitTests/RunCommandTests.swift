import Foundation
import PosedBackend
import PosedTensor
import PosedTesting
import PosedWeights
import Testing

/// `posekit run` on every golden of every part, on every backend that a goal is set for.
@Suite struct RunCommandTests {
    /// Parts, their outputs, and the models that have a golden of that name.
    private static let parts: [(part: String, output: String)] = [
        ("vae.encode", "latent"), ("vae.decode", "image"), ("source_encoder", "last_hidden_state"),
        ("pose_encoder", "last_hidden_state"), ("condition", "cond"), ("velocity", "velocity"),
        ("solve", "latent"),
    ]

    static let goldens: [String] = {
        let models = ["tiny", "tiny-wide", "tiny-no-concatenation", "tiny-no-aggregation"]
        return models.flatMap { model -> [String] in
            let folder = PosekitProcess.golden("\(model)/expected")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.sorted().filter { name in
                name.hasSuffix(".safetensors") && parts.contains { name.hasPrefix($0.part + ".") }
            }.map { "\(model)/expected/\($0)" }
        }
    }()

    @Test func knowsTheGoldens() { #expect(Self.goldens.count >= 30) }

    @Test(arguments: ["cpu", "blas"], goldens)
    func agreesInFloat32(backend: String, golden: String) async throws {
        try await check(golden, backend: backend, dtype: "f32", tolerance: 1e-4)
    }

    private static let hasBFloat16 =
        (try? UsableDevices.compute("cpu").device.info())?.dtypes.contains(.bf16) == true

    @Test(.enabled(if: hasBFloat16), arguments: goldens)
    func agreesInBFloat16(golden: String) async throws {
        // A whole solve adds up what its evaluations miss; it is judged by its picture.
        let tolerance = golden.contains("solve") ? 0.1 : 2e-2
        try await check(golden, backend: "cpu", dtype: "bf16", tolerance: tolerance)
    }

    private func check(
        _ golden: String, backend: String, dtype: String, tolerance: Double
    ) async throws {
        let name = URL(fileURLWithPath: golden).lastPathComponent
        let (part, output) = try #require(
            Self.parts.first { name.hasPrefix($0.part + ".") })
        let model = try #require(golden.split(separator: "/").first)
        let expected = try SafetensorsFile(path: PosekitProcess.golden(golden))
        let settings = golden.replacingOccurrences(of: ".safetensors", with: ".json")
        try await PosekitProcess.withFolder { folder in
            var inputs = SafetensorsWriter()
            for tensor in expected.tensors where tensor.name != output { try inputs.add(tensor) }
            try inputs.write(to: folder + "/in.safetensors")
            let outcome = try await PosekitProcess.run(
                [
                    "run", part, "--model", PosekitProcess.golden(String(model)),
                    "--in", folder + "/in.safetensors", "--out", folder + "/out.safetensors",
                    "--backend", backend, "--dtype", dtype, "--threads", "1",
                ] + (part == "solve" ? try GoldenSettings(settings).options : []))
            #expect(outcome.errors.isEmpty && outcome.status == 0)
            let result = try SafetensorsFile(path: folder + "/out.safetensors").tensor(output)
            let wanted = try expected.tensor(output)
            #expect(result.shape == wanted.shape)
            #expect(relativeError(result.floats(), wanted.floats()) <= tolerance)
        }
    }
}
