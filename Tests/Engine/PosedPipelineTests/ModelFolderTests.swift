import Foundation
import PosedModels
import PosedPipeline
import PosedTesting
import PosedVision
import Testing

/// What a model folder must hold.
@Suite struct ModelFolderTests {
    @Test func readsTheSamplersDefaults() throws {
        let folder = try ModelFolder(path: Goldens.model("tiny").path)
        #expect(folder.hasPoseEncoder)
        #expect(folder.sampler.solver == "heun" && folder.sampler.steps == 8)
        #expect(try !ModelFolder(path: Goldens.model("tiny-no-aggregation").path).hasPoseEncoder)
    }

    @Test func namesWhatIsMissing() throws {
        let error = #expect(throws: PipelineError.self) { try ModelFolder(path: "/nowhere/at/all") }
        #expect(error?.message.contains("/nowhere/at/all") == true)
        try withFolder { path in
            let error = #expect(throws: PipelineError.self) { try ModelFolder(path: path) }
            #expect(error?.message.contains("model_index.json") == true)
            try write("{}", path + "/model_index.json")
            let next = #expect(throws: PipelineError.self) { try ModelFolder(path: path) }
            #expect(next?.message.contains("vae/config.json") == true)
        }
    }

    @Test func refusesALaterFormat() throws {
        try withFolder { path in
            try write(#"{"format_version": 2}"#, path + "/model_index.json")
            let error = #expect(throws: PipelineError.self) { try ModelFolder(path: path) }
            #expect(error?.message.contains("format_version") == true)
        }
    }

    @Test func saysHowPicturesAreFramed() throws {
        #expect(try ModelFolder(path: Goldens.model("tiny").path).framing == PictureFraming())
        try withFolder { path in
            for part in ["vae", "source_encoder", "transformer"] {
                try FileManager.default.createDirectory(
                    atPath: path + "/" + part, withIntermediateDirectories: true)
                try write("{}", path + "/" + part + "/config.json")
            }
            try FileManager.default.createDirectory(
                atPath: path + "/sampler", withIntermediateDirectories: true)
            try write("{}", path + "/sampler/config.json")
            let index = path + "/model_index.json"
            try write(#"{"source_fit": "crop", "picture_aspect": 0.6875}"#, index)
            #expect(
                try ModelFolder(path: path).framing == PictureFraming(fit: .crop, aspect: 0.6875))
            #expect(try !ModelFolder(path: path).allowsEightBits)
            for (text, key) in [
                (#"{"eight_bits": 1}"#, "eight_bits"),
                (#"{"source_fit": "squeeze"}"#, "source_fit"),
                (#"{"source_fit": 3}"#, "source_fit"),
                (#"{"picture_aspect": 0.01}"#, "picture_aspect"),
                (#"{"picture_aspect": -1}"#, "picture_aspect"),
                (#"{"picture_aspect": "wide"}"#, "picture_aspect"),
            ] {
                try write(text, index)
                #expect {
                    try ModelFolder(path: path)
                } throws: {
                    "\($0)".contains(key)
                }
            }
        }
    }

    @Test(arguments: [
        #"{"steps": 0}"#, #"{"guidance_scale": -2}"#, #"{"time_shift": 0}"#, #"{"seed": -1}"#,
        #"{"solver": 3}"#, "[]",
    ])
    func refusesDefaultsThatCannotBe(_ text: String) throws {
        try withFolder { path in
            try write(text, path + "/config.json")
            #expect(throws: ModelError.self) { try SamplerDefaults(folder: path) }
        }
    }

    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        try body(url.path)
    }
}
