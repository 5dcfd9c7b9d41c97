import Foundation
import PosedModels
import Testing

/// What the configuration of an AutoencoderKL may hold, and what is refused.
@Suite struct AutoencoderKLConfigurationTests {
    static func file(_ text: String) throws -> ConfigurationFile {
        try ConfigurationFile(Data(text.utf8), path: "vae/config.json")
    }

    /// The file that `stabilityai/sd-vae-ft-mse` has.
    static let published = """
        {"_class_name": "AutoencoderKL", "_diffusers_version": "0.4.2", "act_fn": "silu",
         "block_out_channels": [128, 256, 512, 512], "down_block_types": ["DownEncoderBlock2D",
         "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"], "in_channels": 3,
         "latent_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3,
         "sample_size": 256, "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D",
         "UpDecoderBlock2D", "UpDecoderBlock2D"]}
        """

    @Test func publishedFileIsTheDefault() throws {
        let configuration = try AutoencoderKL.Configuration(Self.file(Self.published))
        #expect(configuration == AutoencoderKL.Configuration())
    }

    @Test func readsEveryField() throws {
        let file = try Self.file(
            """
            {"block_out_channels": [8], "down_block_types": ["DownEncoderBlock2D"],
             "up_block_types": ["UpDecoderBlock2D"], "norm_num_groups": 4, "latent_channels": 16,
             "use_quant_conv": false, "use_post_quant_conv": false, "force_upcast": true,
             "mid_block_add_attention": false, "scaling_factor": 0.3611, "shift_factor": 0.1159,
             "latents_mean": null, "latents_std": null, "sample_size": [64, 48]}
            """)
        let configuration = try AutoencoderKL.Configuration(file)
        #expect(configuration.blockOutChannels == [8])
        #expect(configuration.shape.latentChannels == 16)
        #expect(!configuration.quantConv && !configuration.postQuantConv)
        #expect(!configuration.midBlockAttention)
        #expect(
            configuration.shape.scalingFactor == 0.3611 && configuration.shape.shiftFactor == 0.1159
        )
    }

    static let refused: [(json: String, key: String)] = [
        (#"{"block_out_channels": [0]}"#, "block_out_channels"),
        (#"{"block_out_channels": []}"#, "block_out_channels"),
        (#"{"block_out_channels": "64"}"#, "block_out_channels"),
        (#"{"block_out_channels": [64, 64]}"#, "down_block_types"),
        (#"{"block_out_channels": [40]}"#, "block_out_channels"),
        (#"{"down_block_types": ["AttnDownEncoderBlock2D"]}"#, "down_block_types"),
        (#"{"up_block_types": ["AttnUpDecoderBlock2D"]}"#, "up_block_types"),
        (#"{"up_block_types": [3]}"#, "up_block_types"),
        (#"{"layers_per_block": 0}"#, "layers_per_block"),
        (#"{"layers_per_block": 1.5}"#, "layers_per_block"),
        (#"{"latent_channels": -4}"#, "latent_channels"),
        (#"{"latent_channels": 99999999999999999999}"#, "latent_channels"),
        (#"{"scaling_factor": 0}"#, "scaling_factor"),
        (#"{"scaling_factor": "much"}"#, "scaling_factor"),
        (#"{"use_quant_conv": 1}"#, "use_quant_conv"),
        (#"{"act_fn": "mish"}"#, "act_fn"),
        (#"{"latents_mean": [0.5]}"#, "latents_mean"),
    ]

    @Test func refuses() throws {
        for (json, key) in Self.refused {
            let file = try Self.file(json)
            let error = #expect(throws: ModelError.self) { try AutoencoderKL.Configuration(file) }
            let message = error?.message ?? ""
            #expect(
                message.contains("vae/config.json") && message.contains("\"\(key)\""), "\(json)")
            #expect(!message.contains("\n"))
        }
    }
}
