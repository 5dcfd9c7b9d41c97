import Foundation
import PosedTesting
import PosedVision
import PosedWeights
import Testing

/// `posekit synthesize` against the pictures of the reference.
@Suite struct SynthesizeCommandTests {
    private func arguments(_ model: String, out: String, _ more: [String] = []) -> [String] {
        let folder = PosekitProcess.golden("\(model)/expected/synthesize")
        return [
            "synthesize", "--model", PosekitProcess.golden(model),
            "--source", folder + "/source.png", "--pose", folder + "/pose.json", "--out", out,
        ] + more
    }

    /// Decibels between two pictures; 200 for equal ones.
    private func decibels(_ path: String, _ expected: String) throws -> Double {
        let (a, b) = (try Image(file: path), try Image(file: expected))
        try #require(a.width == b.width && a.height == b.height)
        let squares = zip(a.bytes, b.bytes).reduce(0.0) {
            $0 + Double((Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)))
        }
        return squares == 0 ? 200 : 10 * log10(255 * 255 * Double(a.bytes.count) / squares)
    }

    @Test(arguments: ["tiny", "tiny-wide", "tiny-no-aggregation"])
    func paintsThePictureOfTheReference(model: String) async throws {
        let settings = try GoldenSettings("\(model)/expected/synthesize/settings.json")
        try await PosekitProcess.withFolder { folder in
            let out = folder + "/out.png"
            let outcome = try await PosekitProcess.run(
                arguments(
                    model, out: out, settings.options + ["--backend", "blas", "--threads", "1"]))
            #expect(outcome.errors.isEmpty && outcome.status == 0)
            #expect(outcome.output.isEmpty)
            let expected = PosekitProcess.golden("\(model)/expected/synthesize/output.png")
            #expect(try decibels(out, expected) >= 50)
        }
    }

    @Test func takesTheModelsOwnSettings() async throws {
        try await PosekitProcess.withFolder { folder in
            let out = folder + "/out.png"
            let outcome = try await PosekitProcess.run(
                arguments("tiny-wide", out: out, ["--backend", "blas"]))
            #expect(outcome.status == 0)
            let expected = PosekitProcess.golden("tiny-wide/expected/synthesize/output.png")
            #expect(try decibels(out, expected) >= 50)
        }
    }

    @Test func tellsWhatItDidAndKeepsTheLatent() async throws {
        try await PosekitProcess.withFolder { folder in
            let out = folder + "/out.png"
            let outcome = try await PosekitProcess.run(
                arguments(
                    "tiny", out: out,
                    [
                        "--steps", "8", "--seed", "7", "--backend", "blas", "--json",
                        "--save-latent", folder + "/z.safetensors",
                    ]))
            let report = try outcome.object
            #expect(report["seed"] as? Int == 7)
            let pictures = try #require(report["pictures"] as? [[String: Any]])
            #expect(pictures.map { $0["nfe"] as? Int } == [15])
            let latent = try SafetensorsFile(path: folder + "/z.safetensors").tensor("latent")
            let stages = try SafetensorsFile(
                path: PosekitProcess.golden("tiny/expected/synthesize/stages.safetensors"))
            #expect(latent.shape == [1, 4, 8, 8])
            #expect(
                relativeError(latent.floats(), try stages.tensor("latent").floats()) < 1e-4)
        }
    }

    @Test func noiseOfAFileReplacesTheSeed() async throws {
        try await PosekitProcess.withFolder { folder in
            let stages = try SafetensorsFile(
                path: PosekitProcess.golden("tiny/expected/synthesize/stages.safetensors"))
            var writer = SafetensorsWriter()
            try writer.add(try stages.tensor("z0"))
            try writer.write(to: folder + "/z0.safetensors")
            let outcome = try await PosekitProcess.run(
                arguments(
                    "tiny", out: folder + "/out.png",
                    ["--noise", folder + "/z0.safetensors", "--seed", "1", "--backend", "blas"]))
            #expect(outcome.status == 0)
            let expected = PosekitProcess.golden("tiny/expected/synthesize/output.png")
            #expect(try decibels(folder + "/out.png", expected) >= 50)
        }
    }

    @Test func severalPosesGoToAFolder() async throws {
        try await PosekitProcess.withFolder { folder in
            let pose = PosekitProcess.golden("tiny/expected/synthesize/pose.json")
            let other = folder + "/other.json"
            try FileManager.default.copyItem(atPath: pose, toPath: other)
            let outcome = try await PosekitProcess.run(
                arguments(
                    "tiny", out: folder,
                    ["--pose", other, "--seed", "7", "--backend", "blas", "--steps", "8"]))
            #expect(outcome.status == 0)
            let expected = PosekitProcess.golden("tiny/expected/synthesize/output.png")
            for name in ["pose", "other"] {
                #expect(try decibels("\(folder)/\(name).png", expected) >= 50)
            }
            let clash = try await PosekitProcess.run(
                arguments("tiny", out: folder + "/one.png", ["--pose", other]))
            #expect(clash.status == 1 && clash.complaints.count == 1)
        }
    }

    /// A pose of another body, somewhere else, in another unit: fitted to the source's it is the source's, in the whole
    /// picture and in what a crop shows of it.
    @Test(arguments: [[], ["--fit", "crop"]])
    func aTrackIsFittedToTheSource(fit: [String]) async throws {
        try await PosekitProcess.withFolder { folder in
            let golden = PosekitProcess.golden("tiny/expected/synthesize/pose.json")
            let data = try Data(contentsOf: URL(fileURLWithPath: golden))
            let joints = try JSONDecoder().decode([[Double]].self, from: data)
            // The picture has 75 × 90 pixels, of which a crop shows 75 × 75 from row 7 on; the model makes 64 × 64.
            let source = joints.map { [$0[0] * 75 / 64, $0[1] * 90 / 64, $0[2]] }
            let other = source.map { [$0[0] * 0.01 + 0.2, $0[1] * 0.01 - 0.05, $0[2]] }
            let shown = source.map { [$0[0] / 75, ($0[1] - 7) / 75, $0[2]] }
            let frame = "{\"people\": [{\"pose_keypoints_2d\": \(other.flatMap { $0 })}]}"
            let files = [
                "source": "\(source)", "walk": "[\(frame), \(frame)]", "shown": "\(shown)",
            ]
            for (name, text) in files {
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).json"))
            }
            func make(_ pose: String, out: String, _ more: [String] = []) async throws {
                let outcome = try await PosekitProcess.run(
                    [
                        "synthesize", "--model", PosekitProcess.golden("tiny"),
                        "--source", PosekitProcess.golden("tiny/expected/synthesize/source.png"),
                        "--pose", "\(folder)/\(pose).json", "--out", out, "--seed", "7",
                        "--backend", "blas", "--steps", "8",
                    ] + fit + more)
                #expect(outcome.errors.isEmpty && outcome.status == 0)
            }
            try await make(
                "walk", out: folder, ["--retarget", folder + "/source.json", "--smooth", "1"])
            var expected = PosekitProcess.golden("tiny/expected/synthesize/output.png")
            if !fit.isEmpty {
                expected = folder + "/expected.png"
                try await make("shown", out: expected)
            }
            for name in ["walk-000001", "walk-000002"] {
                #expect(try decibels("\(folder)/\(name).png", expected) >= 45)
            }
        }
    }

    @Test func aTableauOfAFileServes() async throws {
        try await PosekitProcess.withFolder { folder in
            let tableau =
                #"{"name": "mine", "order": 2, "c": [0, 1], "a": [[], [1]], "b": [0.5, 0.5]}"#
            try Data(tableau.utf8).write(to: URL(fileURLWithPath: folder + "/mine.json"))
            let outcome = try await PosekitProcess.run(
                arguments(
                    "tiny", out: folder + "/out.png",
                    [
                        "--solver-file", folder + "/mine.json", "--nfe", "16", "--seed", "7",
                        "--backend", "blas",
                    ]))
            #expect(outcome.status == 0)
            let expected = PosekitProcess.golden("tiny/expected/synthesize/output.png")
            #expect(try decibels(folder + "/out.png", expected) >= 50)
        }
    }
}
