import Foundation
import PosedBackend
import PosedModels
import PosedTensor
import PosedTesting
import PosedWeights
import Testing

/// X-MDPT's transformer against the recipe's restatement of it.
@Suite struct XMDPTGoldenTests {
    static func cases(_ names: [String]) -> [PartGolden] {
        PartGolden.cases(names.map { ("tiny-xmdpt", $0) })
    }

    @Test(arguments: cases(["condition"]))
    func aggregatesTheCondition(_ golden: PartGolden) throws {
        let (model, compute) = try load(golden)
        let expected = try golden.tensor("cond")
        var values: [Float] = []
        for row in 0..<expected.shape[0] {
            let source = try model.source(
                latents: try image(golden, "z_s", row, on: compute),
                embeddings: try tokens(golden, "g_s", row, on: compute), on: compute)
            #expect(source.byteCount == 32 * 4)
            let pose = try model.pose(
                latent: nil, embedding: try tokens(golden, "g_p", row, on: compute), on: compute)
            values += try compute.floats(model.condition(source, pose, on: compute).vector)
        }
        golden.expect(values, expected.floats(), in: compute.precision)
    }

    /// One batch of all rows, each at its own time: noise, the middle, and data.
    @Test(arguments: cases(["velocity", "velocity.empty"]))
    func evaluatesTheVelocity(_ golden: PartGolden) throws {
        let (model, compute) = try load(golden)
        let times = try golden.tensor("t").floats().map(Double.init)
        let empty = try model.emptyCondition(model.form.latentSize, on: compute)
        let vectors = try? golden.tensor("cond").floats()
        let width = model.form.hiddenSize
        let conditions = try times.indices.map { row in
            try vectors.map {
                empty.with(
                    vector: try compute.tensor(
                        Array($0[row * width..<(row + 1) * width]), [width]))
            } ?? empty
        }
        let bank = try VelocityBank(
            model, empty: empty, conditionedRows: times.count, emptyRows: 0, on: compute)
        let velocities = try bank.velocities(
            of: try golden.image("z", on: compute), at: times, conditions)
        try golden.expect(image: velocities, "velocity", on: compute)
    }

    @Test(arguments: cases(["condition"]))
    func refusesOtherSizesAndOtherModelsConditions(_ golden: PartGolden) throws {
        let (model, compute) = try load(golden)
        let error = #expect(throws: ModelError.self) {
            try model.emptyCondition(LatentSize(height: 8, width: 6), on: compute)
        }
        #expect(error?.message == "latents of 8 × 8 expected, but 8 × 6 came")
        let other = try VelocityModels.load(
            folder: Goldens.model("tiny").path + "/transformer", on: compute
        ).model
        let source = try other.source(
            latents: try image(golden, "z_s", 0, on: compute),
            embeddings: try compute.tensor([Float](repeating: 0, count: 64), [1, 1, 64]),
            on: compute)
        let pose = try model.pose(
            latent: nil, embedding: try tokens(golden, "g_p", 0, on: compute), on: compute)
        #expect(throws: ModelError.self) { try model.condition(source, pose, on: compute) }
    }

    private func load(_ golden: PartGolden) throws -> (any VelocityModel, Compute) {
        let compute = try UsableDevices.compute(golden.backend)
        let folder = golden.folder("transformer")
        return (try VelocityModels.load(folder: folder, on: compute).model, compute)
    }

    /// Row `row` of [N, C, h, w] as [1, h, w, C].
    private func image(
        _ golden: PartGolden, _ key: String, _ row: Int, on compute: Compute
    ) throws -> Tensor {
        let tensor = try golden.tensor(key)
        let shape = [1] + tensor.shape.dropFirst()
        let count = shape.reduce(1, *)
        let values = Array(tensor.floats()[row * count..<(row + 1) * count])
        return try compute.tensor(
            Layout.channelsLast(values, shape), [1, shape[2], shape[3], shape[1]])
    }

    /// Row `row` of [N, T, F] as [1, T, F].
    private func tokens(
        _ golden: PartGolden, _ key: String, _ row: Int, on compute: Compute
    ) throws -> Tensor {
        let tensor = try golden.tensor(key)
        let shape = [1] + tensor.shape.dropFirst()
        let count = shape.reduce(1, *)
        return try compute.tensor(
            Array(tensor.floats()[row * count..<(row + 1) * count]), shape)
    }
}

/// X-MDPT's configuration, and its diffusion as a flow.
@Suite struct XMDPTConfigurationTests {
    private func read(_ json: String) throws -> XMDPTConfiguration {
        try XMDPTConfiguration(ConfigurationFile(Data(json.utf8), path: "config.json"))
    }

    @Test func readsWhatTheConverterWrites() throws {
        let file = try ConfigurationFile(folder: Goldens.model("tiny-xmdpt").path + "/transformer")
        let configuration = try XMDPTConfiguration(file)
        #expect(configuration.hiddenSize == 32 && configuration.depth == 3)
        #expect(configuration.sourceEncoderTokens == 17 && configuration.poseEncoderSize == 16)
        let form = configuration.form
        #expect(form.isSizeFixed && !form.usesEverySource && !form.usesPoseLatent)
        #expect(form.latentSize == LatentSize(height: 8, width: 8))
    }

    @Test func isAsPublishedWhereTheFileIsSilent() throws {
        let json = #"""
            {"_class_name": "XMDPTTransformer2DModel", "hidden_size": 384, "depth": 12, "num_heads": 6}
            """#
        #expect(try read(json) == XMDPTConfiguration.Preset.s.configuration)
    }

    @Test(arguments: [
        (#""hidden_size": 384, "depth": 12, "num_heads": 5"#, "no multiple of num_heads"),
        (
            #""hidden_size": 384, "depth": 1, "num_heads": 6"#,
            "decoder_layers 2 is more than depth 1"
        ),
        (
            #""hidden_size": 384, "depth": 12, "num_heads": 6, "sample_size": 31"#,
            "no multiple of patch_size"
        ),
        (#""hidden_size": 384, "depth": 12, "num_heads": 6, "prediction": "v""#, "must be epsilon"),
        (#""depth": 12, "num_heads": 6"#, "hidden_size"),
    ])
    func refusesNumbersThatCannotBe(_ keys: String, _ message: String) {
        let error = #expect(throws: ModelError.self) {
            try read(#"{"_class_name": "XMDPTTransformer2DModel", "# + keys + "}")
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func anUnknownClassIsRefusedByName() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "posed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(#"{"_class_name": "PixArt"}"#.utf8).write(
            to: folder.appendingPathComponent("config.json"))
        let error = #expect(throws: ModelError.self) {
            try VelocityModels.form(folder: folder.path)
        }
        #expect(
            error?.message.contains("RPFMTransformer2DModel, XMDPTTransformer2DModel") == true)
    }

    /// The flow's times of DDPM's steps, as the published schedule has them.
    @Test func noiseLiesWhereTheScheduleEnds() {
        let form = XMDPTConfiguration.Preset.s.configuration.form
        #expect(abs(form.start - 0.006312841145) < 1e-12)
        #expect(form.sourceBytes == 384 * 4 && form.bytesPerToken == 0)
    }
}
