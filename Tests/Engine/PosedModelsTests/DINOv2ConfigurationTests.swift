import Foundation
import PosedModels
import Testing

/// What a DINOv2 configuration may hold, and what is refused.
@Suite struct DINOv2ConfigurationTests {
    static func configuration(_ text: String) throws -> DINOv2.Configuration {
        try DINOv2.Configuration(
            ConfigurationFile(Data(text.utf8), path: "source_encoder/config.json"))
    }

    @Test func readsThePublishedGiant() throws {
        let giant = try Self.configuration(
            """
            {"architectures": ["Dinov2Model"], "model_type": "dinov2", "hidden_size": 1536,
             "num_hidden_layers": 40, "num_attention_heads": 24, "mlp_ratio": 4, "hidden_act": "gelu",
             "image_size": 518, "patch_size": 14, "num_channels": 3, "qkv_bias": true,
             "layerscale_value": 1.0, "layer_norm_eps": 1e-06, "use_swiglu_ffn": true,
             "drop_path_rate": 0.0}
            """)
        #expect(giant.hiddenSize == 1536 && giant.layers == 40 && giant.heads == 24)
        #expect(giant.usesSwiGLU && giant.mlpWidth == 4096 && giant.grid == 37)
        #expect(giant.registers == nil)
    }

    @Test func theClassDecidesOverRegisters() throws {
        let file = #"{"model_type": "dinov2_with_registers", "patch_size": [14, 14]}"#
        let registers = try Self.configuration(file)
        #expect(registers.registers == 4 && registers.patchSize == 14)
        let plain = try Self.configuration(#"{"architectures": ["Dinov2Model"]}"#)
        #expect(plain.registers == nil && plain.imageSize == 224 && plain.mlpWidth == 3072)
    }

    static let refused: [(json: String, key: String)] = [
        (#"{}"#, "model_type"),
        (#"{"model_type": "vit"}"#, "model_type"),
        (#"{"model_type": "dinov2", "hidden_size": 0}"#, "hidden_size"),
        (#"{"model_type": "dinov2", "hidden_size": 100}"#, "hidden_size"),
        (#"{"model_type": "dinov2", "hidden_size": "wide"}"#, "hidden_size"),
        (#"{"model_type": "dinov2", "num_hidden_layers": -1}"#, "num_hidden_layers"),
        (#"{"model_type": "dinov2", "mlp_ratio": 0}"#, "mlp_ratio"),
        (#"{"model_type": "dinov2", "hidden_act": "sine"}"#, "hidden_act"),
        (#"{"model_type": "dinov2", "image_size": 7}"#, "image_size"),
        (#"{"model_type": "dinov2", "image_size": [224, 112]}"#, "image_size"),
        (#"{"model_type": "dinov2", "layer_norm_eps": -1}"#, "layer_norm_eps"),
        (#"{"model_type": "dinov2", "use_swiglu_ffn": "yes"}"#, "use_swiglu_ffn"),
        (
            #"{"model_type": "dinov2_with_registers", "num_register_tokens": -1}"#,
            "num_register_tokens"
        ),
    ]

    @Test func refuses() {
        for (json, key) in Self.refused {
            let error = #expect(throws: ModelError.self) { try Self.configuration(json) }
            let message = error?.message ?? ""
            #expect(message.contains("source_encoder/config.json"), "\(json)")
            #expect(message.contains("\"\(key)\""), "\(json): \(message)")
        }
    }
}
