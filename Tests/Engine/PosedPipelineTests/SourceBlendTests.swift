import Foundation
import PosedBackend
import PosedModels
import PosedPipeline
import PosedTesting
import PosedVision
import Testing

/// The source's own pixels in decoded pictures.
@Suite struct SourceBlendTests {
    private struct Golden: Decodable {
        struct Case: Decodable {
            let width: Int
            let height: Int
            let sigma: Double
            let tolerance: Double
            let flatness: Double
            let expected: Data
        }
        let cases: [Case]
    }

    /// The pictures of `make_detail.py`.
    private func pictures(_ width: Int, _ height: Int) throws -> (Image, SourceDetail) {
        let source = try PictureGoldens.pattern(width: width, height: height, seed: 1)
        let plain = try PictureGoldens.pattern(width: width, height: height)
        let reconstruction = plain.bytes.map { $0 / 2 + 64 }
        let picture = reconstruction.enumerated().map { index, value in
            let column = index / 3 % width
            return UInt8(min(Int(value) + column * column / 24, 255))
        }
        return (
            try Image(width: width, height: height, bytes: picture),
            SourceDetail(source: source.bytes, reconstruction: reconstruction)
        )
    }

    @Test func blendsAsTheGoldens() throws {
        let golden = try PictureGoldens.load("source-blend.json", as: Golden.self)
        #expect(golden.cases.count == 3)
        for known in golden.cases {
            let (picture, detail) = try pictures(known.width, known.height)
            let blend = SourceBlend(
                sigma: known.sigma, tolerance: known.tolerance, flatness: known.flatness)
            let made = try blend.blend(picture, with: detail)
            let apart = zip(made.bytes, known.expected).map { abs(Int($0) - Int($1)) }
            #expect(apart.count == known.width * known.height * 3)
            #expect(apart.max() ?? 9 <= 1, "\(known.width) × \(known.height)")
            #expect(apart.reduce(0, +) * 500 <= apart.count)
        }
    }

    @Test func refusesASourceOfAnotherSize() throws {
        let (picture, _) = try pictures(40, 24)
        let (_, detail) = try pictures(24, 24)
        let error = #expect(throws: VisionError.self) {
            try SourceBlend(sigma: 4, tolerance: 0.1, flatness: 1).blend(picture, with: detail)
        }
        #expect(error?.code == .invalidSize)
    }

    @Test func readsItsConfigurationAndRefusesOthers() throws {
        try withModel(
            #"{"_class_name": "SourceBlend", "sigma": 5, "tolerance": 0.2, "flatness": 1}"#
        ) { model in
            let read = try SourceBlend(folder: model + "/detail_decoder")
            #expect(read == SourceBlend(sigma: 5, tolerance: 0.2, flatness: 1))
            let none = try SourceBlend(folder: model + "/pose_drawer")
            #expect(none == nil)
        }
        for (text, told) in [
            (#"{"_class_name": "Mender", "sigma": 4, "tolerance": 0.1, "flatness": 1}"#, "Mender"),
            (#"{"_class_name": "SourceBlend", "tolerance": 0.1, "flatness": 1}"#, "sigma"),
            (
                #"{"_class_name": "SourceBlend", "sigma": 4, "tolerance": 0, "flatness": 1}"#,
                "tolerance"
            ),
            (#"{"_class_name": "SourceBlend", "sigma": 4, "tolerance": 1}"#, "flatness"),
            (#"{"sigma": 4, "tolerance": 0.1, "flatness": 1}"#, "_class_name"),
            ("[", "detail_decoder/config.json"),
        ] {
            try withModel(text) { model in
                #expect {
                    try SourceBlend(folder: model + "/detail_decoder")
                } throws: {
                    "\($0)".contains(told)
                }
            }
        }
    }

    /// A picture of the source itself comes back with the source's details; without the part, as it was.
    @Test(arguments: GoldenPipeline.cases(["tiny"]))
    func aPipelineBringsTheSourcesPixels(_ golden: GoldenPipeline) throws {
        let plain = try golden.pipeline()
        let picture = try PictureGoldens.pattern(width: plain.width, height: plain.height)
        let text =
            #"{"_class_name": "SourceBlend", "sigma": 4, "tolerance": 0.1, "flatness": 0.01}"#
        try withModel(text, like: golden.model) { folder in
            let streams = PartStreams(all: try UsableDevices.compute(golden.backend))
            let pipeline = try Pipeline(PoseModel.load(folder: folder, on: streams))
            let source = try pipeline.source([picture])
            let without = try plain.source([picture])
            #expect(without.detail == nil && source.detail?.source == picture.bytes)
            #expect(
                source.byteCount == without.byteCount
                    + SourceDetail.byteCount(pixels: pipeline.width * pipeline.height))
            let pose = try pipeline.pose(
                .keypoints(try Keypoints((0..<18).map { Keypoint(x: Double($0), y: 9) })))
            let condition = try pipeline.condition(source, pose)
            let latent = try pipeline.latents([picture])
            #expect(try pipeline.decode(latent, of: [condition]) == [picture])
            let soft = try pipeline.decode(latent)
            #expect(soft != [picture] && soft[0].bytes == source.detail?.reconstruction)
        }
    }

    /// A copy of a golden model, or an empty folder, with that configuration of a detail decoder.
    private func withModel(
        _ text: String, like name: String? = nil, _ body: (String) throws -> Void
    ) throws {
        let files = FileManager.default
        let url = files.temporaryDirectory.appendingPathComponent(
            "posed-tests-\(UUID().uuidString)")
        defer { try? files.removeItem(at: url) }
        try files.createDirectory(at: url, withIntermediateDirectories: true)
        if let name {
            let model = Goldens.model(name)
            for part in try files.contentsOfDirectory(atPath: model.path) where part != "expected" {
                try files.createSymbolicLink(
                    at: url.appendingPathComponent(part),
                    withDestinationURL: model.appendingPathComponent(part))
            }
        }
        let part = url.appendingPathComponent("detail_decoder")
        try files.createDirectory(at: part, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: part.appendingPathComponent("config.json"))
        try body(url.path)
    }
}
