import Foundation
import PosedModels
import Testing

/// What the configuration of an AutoencoderTiny may hold, and what is refused.
@Suite struct AutoencoderTinyConfigurationTests {
    static func file(_ text: String) throws -> ConfigurationFile {
        try ConfigurationFile(Data(text.utf8), path: "vae/config.json")
    }

    static let refused: [(json: String, key: String)] = [
        (#"{"encoder_block_out_channels": [64, 32, 64, 64]}"#, "encoder_block_out_channels"),
        (#"{"decoder_block_out_channels": [64]}"#, "decoder_block_out_channels"),
        (#"{"num_encoder_blocks": [-1, 3, 3, 3]}"#, "num_encoder_blocks"),
        (#"{"act_fn": "sine"}"#, "act_fn"),
        (#"{"upsample_fn": "bilinear"}"#, "upsample_fn"),
        (#"{"upsampling_scaling_factor": 3}"#, "upsampling_scaling_factor"),
        (#"{"scaling_factor": 0}"#, "scaling_factor"),
    ]

    @Test func refuses() throws {
        for (json, key) in Self.refused {
            let file = try Self.file(json)
            let error = #expect(throws: ModelError.self) { try AutoencoderTiny.Configuration(file) }
            #expect(error?.message.contains("\"\(key)\"") == true, "\(json)")
        }
    }

    @Test func defaultsAreThePublishedOnes() throws {
        let configuration = try AutoencoderTiny.Configuration(
            Self.file(#"{"_class_name": "AutoencoderTiny"}"#))
        #expect(configuration.encoderBlocks == [1, 3, 3, 3])
        #expect(configuration.decoderBlocks == [3, 3, 3, 1])
        #expect(configuration.encoderChannels == 64 && configuration.decoderChannels == 64)
        #expect(configuration.shape.scalingFactor == 1)
    }
}
