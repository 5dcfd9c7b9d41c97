import CPosedDigest
import Foundation
import PosedTesting
import PosedVision
import Testing

/// X-MDPT's drawing against OpenCV's, to the last byte.
@Suite struct XMDPTDrawingTests {
    private struct Case: Decodable {
        let joints: [[Double]?]
        let sha256: String

        var keypoints: Keypoints {
            get throws {
                try Keypoints(
                    joints.map { $0.map { Keypoint(x: $0[0], y: $0[1]) } ?? .absent },
                    units: .pixels)
            }
        }
    }

    private let renderer: PoseRenderer

    init() throws {
        renderer = try PoseRenderer(width: 256, height: 256, drawer: PoseDrawer(body: .xmdpt))
    }

    @Test func equalsOpenCVToTheLastByte() throws {
        let cases = try PictureGoldens.load("xmdpt-drawings.json", as: [Case].self)
        #expect(cases.count == 41)
        for (index, entry) in cases.enumerated() {
            let image = try renderer.image(of: entry.keypoints)
            var digest = [UInt8](repeating: 0, count: Int(POSED_DIGEST_BYTES))
            posed_digest_of(image.bytes, image.bytes.count, &digest)
            let text = digest.map { String(format: "%02x", $0) }.joined()
            #expect(text == entry.sha256, "pose \(index)")
        }
    }

    /// The pose that the method's description draws.
    @Test func drawsTheKnownPose() throws {
        let cases = try PictureGoldens.load("xmdpt-drawings.json", as: [Case].self)
        #expect(
            cases[0].sha256 == "f25b2490459e23ec3c0fda27dbbdc8c759b85ff6efffd89aaf0d95ccd29653d3")
        let image = try renderer.image(of: cases[0].keypoints)
        func pixel(_ x: Int, _ y: Int) -> [UInt8] {
            Array(image.bytes[(y * 256 + x) * 3..<(y * 256 + x) * 3 + 3])
        }
        #expect(pixel(128, 40) == [214, 0, 194] && pixel(126, 62) == [153, 34, 102])
        #expect(pixel(93, 63) == [0, 129, 255] && pixel(0, 0) == [0, 0, 0])
        let sums = (0..<3).map { channel in
            stride(from: channel, to: image.bytes.count, by: 3).reduce(0) {
                $0 + Int(image.bytes[$1])
            }
        }
        #expect(sums == [326_080, 546_110, 295_883])
    }

    /// Limbs that lead far out of the picture are cut off, and cost no more than others.
    @Test func cutsLimbsThatLeadFarAway() throws {
        var joints = [Keypoint](repeating: .absent, count: 18)
        joints[1] = Keypoint(x: 128, y: 128)
        joints[2] = Keypoint(x: -90_000, y: 128)
        let image = try renderer.image(of: try Keypoints(joints, units: .pixels))
        #expect(image.bytes.contains { $0 != 0 })
    }
}

/// What this project's own keys of a preprocessor do.
@Suite struct PlainPreprocessingTests {
    private func configuration(_ keys: String) throws -> PreprocessorConfiguration {
        try PreprocessorConfiguration(
            json: Data(
                (#"{"image_processor_type": "BitImageProcessor", "do_center_crop": false, "#
                    + #""image_mean": 0, "image_std": 1, "# + keys + "}").utf8))
    }

    /// PyTorch's bicubic weights of the first outputs of 8 to 7 pixels.
    @Test func resizesWithoutAntialiasing() throws {
        let plain = try configuration(
            #""antialias": false, "size": {"height": 7, "width": 7}, "rescale_factor": 1"#)
        var bytes = [UInt8](repeating: 0, count: 8 * 8 * 3)
        for row in 0..<8 { bytes[(row * 8 + 1) * 3] = 100 }
        let values = try plain.pixelValues(of: try Image(width: 8, height: 8, bytes: bytes))
        #expect(values.count == 3 * 49)
        // The red of column 1 in the outputs of one row; the overshoot is not clamped.
        let expected: [Float] = [6.0769, 90.8983, -11.0696]
        for (value, wanted) in zip(values, expected) { #expect(abs(value - wanted) < 1e-3) }
    }

    @Test func dividesByTheGreatestByte() throws {
        let scaled = try configuration(#""do_resize": false, "rescale_by_maximum": true"#)
        let image = try Image(width: 1, height: 2, bytes: [0, 100, 200, 50, 0, 0])
        #expect(try scaled.pixelValues(of: image, layout: .nhwc) == [0, 0.5, 1, 0.25, 0, 0])
        let black = try Image(width: 1, height: 1, filledWith: .black)
        #expect(try scaled.pixelValues(of: black) == [0, 0, 0])
    }

    @Test func refusesACropThatDoesNotFit() throws {
        let json = #"""
            {"image_processor_type": "BitImageProcessor", "antialias": false, "do_resize": false,
             "crop_size": {"height": 4, "width": 4}}
            """#
        let plain = try PreprocessorConfiguration(json: Data(json.utf8))
        let error = #expect(throws: VisionError.self) {
            try plain.pixelValues(of: try Image(width: 3, height: 9, filledWith: .white))
        }
        #expect(error?.code == .invalidSize)
    }
}
