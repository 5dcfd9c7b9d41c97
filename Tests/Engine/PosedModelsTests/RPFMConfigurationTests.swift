import Foundation
import PosedModels
import Testing

/// What `transformer/config.json` may say, and what it may not.
@Suite struct RPFMConfigurationTests {
    @Test func readsSizesAndSwitches() throws {
        let configuration = try parse(["sample_size": [48, 32], "reference_attention": true])
        #expect(configuration.latentSize == .init(height: 48, width: 32))
        #expect(configuration.referenceAttention)
        #expect(configuration.inputConcatenation)
        #expect(configuration.patchFeatures == 16)
        #expect(configuration.form.modulationSize == (6 * 2 + 2) * 128)
    }

    @Test(
        arguments: [
            (["_class_name": "UNet2DConditionModel"], "_class_name"),
            (["hidden_size": 130], "hidden_size"), (["num_heads": 0], "num_heads"),
            (["depth": -1], "depth"), (["sample_size": 33], "sample_size"),
            (["sample_size": [8, 8, 8]], "sample_size"), (["mlp_ratio": -4.0], "mlp_ratio"),
            (["patch_size": "two"], "patch_size"), (["hidden_size": 1 << 40], "hidden_size"),
        ] as [([String: any Sendable], String)])
    func refuses(_ change: [String: any Sendable], naming key: String) throws {
        let error = #expect(throws: ModelError.self) { try parse(change) }
        #expect(error?.message.contains(key) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("config.json") == true)
    }

    @Test func presetsHaveHeadsOf64() {
        for preset in RPFMConfiguration.Preset.allCases {
            let configuration = preset.configuration
            #expect(configuration.hiddenSize / configuration.heads == 64)
        }
    }

    private func parse(_ change: [String: any Sendable]) throws -> RPFMConfiguration {
        var values: [String: any Sendable] = [
            "sample_size": 8, "hidden_size": 128, "depth": 2, "num_heads": 2,
            "source_encoder_dim": 64, "pose_encoder_dim": 64,
        ]
        values.merge(change) { $1 }
        let data = try JSONSerialization.data(withJSONObject: values)
        return try RPFMConfiguration(ConfigurationFile(data, path: "transformer/config.json"))
    }
}
