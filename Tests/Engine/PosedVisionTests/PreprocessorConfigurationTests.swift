import Foundation
import PosedTesting
import PosedVision
import Testing

@Suite struct PreprocessorConfigurationTests {
    struct Case: Decodable {
        let name: String
        let configuration: String
        let from: [Int]
        let seed: Int
        let shape: [Int]
        let digest: String
        let first: [Float]
    }

    @Test func equalsTransformersToTheLastBit() throws {
        let cases = try PictureGoldens.load("preprocess.json", as: [Case].self)
        #expect(cases.count == 20)
        for entry in cases {
            let name: Comment = "\(entry.name), from \(entry.from)"
            let configuration = try PreprocessorConfiguration(
                json: Data(entry.configuration.utf8))
            let image = try PictureGoldens.pattern(
                width: entry.from[0], height: entry.from[1], seed: entry.seed)
            let size = configuration.outputSize(width: image.width, height: image.height)
            #expect([3, size.height, size.width] == entry.shape, name)
            let values = try configuration.pixelValues(of: image)
            #expect(Array(values.prefix(4)) == entry.first, name)
            let bytes = values.withUnsafeBytes { [UInt8]($0) }
            #expect(PictureGoldens.digest(bytes) == entry.digest, name)
        }
    }

    @Test func theShorterEdgeRoundsDown() {
        let configuration = PreprocessorConfiguration(
            resize: .shortestEdge(256), filter: .bicubic, crop: nil, rescaleFactor: nil,
            mean: nil, deviation: nil)
        #expect(configuration.outputSize(width: 750, height: 1101) == (256, 375))
        #expect(configuration.outputSize(width: 1101, height: 750) == (375, 256))
        #expect(configuration.outputSize(width: 5, height: 5) == (256, 256))
    }

    @Test func publishedDINOv2IsTheDefaultOfItsName() throws {
        let json = """
            {"crop_size": {"height": 224, "width": 224}, "do_center_crop": true,
             "do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true,
             "image_mean": [0.485, 0.456, 0.406], "image_processor_type": "BitImageProcessor",
             "image_std": [0.229, 0.224, 0.225], "resample": 3,
             "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 256}}
            """
        #expect(try PreprocessorConfiguration(json: Data(json.utf8)) == .dinoV2)
    }

    @Test func readsTheFormsThatConfigurationsTake() throws {
        func parse(_ json: String) throws -> PreprocessorConfiguration {
            try PreprocessorConfiguration(json: Data(json.utf8))
        }
        let vit = try parse(#"{"image_processor_type": "ViTImageProcessorFast", "size": 96}"#)
        #expect(vit.resize == .exact(width: 96, height: 96))
        #expect(vit.crop == nil && vit.filter == .bilinear && vit.mean == [0.5, 0.5, 0.5])
        let clip = try parse(#"{"feature_extractor_type": "CLIPFeatureExtractor", "size": 96}"#)
        #expect(clip.resize == .shortestEdge(96))
        #expect(clip.crop == PreprocessorConfiguration.Crop(width: 224, height: 224))
        let bare = try parse(
            #"{"do_resize": false, "do_center_crop": false, "do_rescale": false, "image_mean": 0.5}"#
        )
        #expect(bare.resize == nil && bare.crop == nil && bare.rescaleFactor == nil)
        #expect(bare.mean == [0.5, 0.5, 0.5])
    }

    @Test(arguments: [
        (#"{"image_processor_type": "LlavaImageProcessor"}"#, "LlavaImageProcessor"),
        (#"{"size": {"longest_edge": 5}}"#, "size"),
        (#"{"size": {"shortest_edge": 0}}"#, "size.shortest_edge"),
        (#"{"size": {"height": 5, "width": 1.5}}"#, "size.width"),
        (#"{"crop_size": {"height": 1e9, "width": 5}}"#, "crop_size.height"),
        (#"{"resample": 1}"#, "resample"),
        (#"{"rescale_factor": NaN}"#, "rescale_factor"),
        (#"{"image_mean": [1, 2]}"#, "image_mean"),
        (#"{"image_std": [1, 0, 1]}"#, "image_std"),
        (#"{"do_resize": "yes"}"#, "do_resize"),
        ("[]", "object"),
        ("{", "JSON"),
        ("", "JSON"),
    ])
    func badConfigurationsNameTheKey(json: String, key: String) {
        let message = expectError(.invalidConfiguration, "\(json)") {
            _ = try PreprocessorConfiguration(json: Data(json.utf8), name: "c.json")
        }
        #expect(message.hasPrefix("c.json: ") && message.contains(key))
    }

    @Test func aSliverIsNotBlownUp() throws {
        let sliver = try Image(width: 1, height: 100_000, filledWith: .white)
        expectError(.tooLarge) {
            _ = try PreprocessorConfiguration.dinoV2.pixelValues(
                of: try sliver.resized(width: 1, height: 2_000_000, filter: .bilinear))
        }
    }
}
