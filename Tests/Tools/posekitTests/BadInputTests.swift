import Foundation
import PosedWeights
import PosedTesting
import Testing

/// What is wrong is said in one sentence on stderr, with a status that is not 0, and nothing written.
@Suite struct BadInputTests {
    /// An option of a good `synthesize`, what is put in its place, and a part of the sentence.
    struct Case: CustomTestStringConvertible {
        let option: String
        let value: String
        let sentence: String
        var status: Int32 = 1

        init(_ option: String, _ value: String, _ sentence: String, status: Int32 = 1) {
            self.option = option
            self.value = value
            self.sentence = sentence
            self.status = status
        }

        var testDescription: String { "\(option) \(value)" }
    }

    static let cases = [
        Case("--model", "/nowhere/model", "a model folder expected"),
        Case("--nfe", "0", "1 to 1000 velocity evaluations"),
        Case("--nfe", "100000", "100000 asked for"),
        Case("--nfe", "-4", "-4 asked for"),
        Case("--steps", "0", "0 asked for"),
        Case("--steps", "many", "--steps", status: 2),
        Case("--guidance", "nan", "guidance must be a number"),
        Case("--guidance", "inf", "guidance must be a number"),
        Case("--guidance", "-1e30", "guidance must be a number"),
        Case("--time-shift", "0", "time shift"),
        Case("--seed", "-1", "--seed", status: 2),
        Case("--seed", "18446744073709551616", "--seed", status: 2),
        Case("--pose", "BROKEN", "this is not JSON"),
        Case("--pose", "/nowhere/pose.json", "there is no such file"),
        Case("--pose", "EMPTY", "a person was expected, but nobody is there"),
        Case("--pose", "FAR", "--pose-size WxH"),
        Case("--pose-size", "wide", "--pose-size", status: 2),
        Case("--person", "2", "person 2 was expected, but is not there"),
        Case("--person", "Ada", "people are chosen by a number"),
        Case("--min-confidence", "0.99", "nobody is there"),
        Case("--min-confidence", "2", "--min-confidence", status: 2),
        Case("--smooth", "0", "--smooth", status: 2),
        Case("--retarget", "BROKEN", "this is not JSON"),
        Case("--pose", "NAN", "not a finite number"),
        Case("--source", "BROKEN", "this is no picture"),
        Case("--source", "TRUNCATED", "the PNG is damaged"),
        Case("--source", "/nowhere/a.png", "there is no such file"),
        Case("--backend", "nosuch", "there is no backend \"nosuch\""),
        Case("--backend", "vae=", "expected auto, a name"),
        Case("--backend", "head=blas", "no part \"head\""),
        Case("--dtype", "f64", "--dtype", status: 2),
        Case("--threads", "-2", "--threads", status: 2),
        Case("--solver", "nosuch", "unknown solver \"nosuch\""),
        Case("--solver-file", "BROKEN", "broken.json"),
        Case("--solver-library", "BROKEN", "broken.json"),
        Case("--noise", "BROKEN", "broken.json"),
        Case("--size", "63x64", "multiple of"),
        Case("--size", "wide", "--size", status: 2),
        Case("--size", "999999999999x16", "multiple of"),
    ]

    @Test(arguments: cases)
    func isRefused(of refused: Case) async throws {
        try await PosekitProcess.withFolder { folder in
            var options = try Self.good(folder)
            options[refused.option] = try Self.file(refused.value, in: folder)
            let out = folder + "/out.png"
            let arguments = options.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
            let outcome = try await PosekitProcess.run(["synthesize"] + arguments)
            #expect(outcome.status == refused.status)
            #expect(outcome.complaints.count == 1)
            #expect(outcome.errors.hasPrefix("posekit: "))
            #expect(outcome.errors.contains(refused.sentence))
            #expect(outcome.output.isEmpty)
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    @Test(arguments: ["/nowhere/out.png", "/proc/out.png"])
    func outMustBeWritable(path: String) async throws {
        try await PosekitProcess.withFolder { folder in
            var options = try Self.good(folder)
            options["--out"] = path
            let outcome = try await PosekitProcess.run(
                ["synthesize"] + options.flatMap { [$0.key, $0.value] })
            #expect(outcome.status == 1)
            #expect(outcome.complaints.count == 1)
        }
    }

    @Test(arguments: [
        ("velocity", "tensor \"z\" expected"), ("vae.encode", "tensor \"image\" expected"),
        ("source_encoder", "tensor \"pixel_values\" expected"),
    ])
    func tensorsMustBeThere(part: String, sentence: String) async throws {
        try await expectRefusal(part, sentence) { writer in
            try writer.add("other", shape: [1], floats: [1])
        }
    }

    @Test(arguments: [
        ("vae.decode", "latent", [1, 3, 8, 8]), ("vae.decode", "latent", [4, 8, 8]),
        ("vae.encode", "image", [1, 3, 0, 8]), ("pose_encoder", "pixel_values", [1, 1, 56, 56]),
        ("velocity", "z", [1, 4, 8]),
    ])
    func shapesMustFit(part: String, name: String, shape: [Int]) async throws {
        try await expectRefusal(part, "\"\(name)\" must be [") { writer in
            try writer.add(
                name, shape: shape,
                floats: [Float](repeating: 0, count: shape.reduce(1, *)))
        }
    }

    @Test func sidesMustBeDivided() async throws {
        try await expectRefusal("vae.encode", "multiples of 8") { writer in
            try writer.add("image", shape: [1, 3, 9, 8], floats: .init(repeating: 0, count: 216))
        }
        try await expectRefusal("velocity", "multiples of 2") { writer in
            try writer.add("z", shape: [1, 4, 3, 4], floats: .init(repeating: 0, count: 48))
            try writer.add("t", shape: [1], floats: [0])
        }
    }

    @Test(arguments: [
        ["run", "nosuch"], ["nosuch"], ["synthesize"], ["bench"], ["eval", "--limit", "0"],
    ])
    func usageIsStatus2(arguments: [String]) async throws {
        let outcome = try await PosekitProcess.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.complaints.count == 1)
        #expect(outcome.errors.hasPrefix("posekit: "))
    }

    @Test(arguments: ["synthesize", "run", "eval", "bench", "backends"])
    func helpHasExamples(command: String) async throws {
        let outcome = try await PosekitProcess.run([command, "--help"])
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(String(decoding: outcome.output, as: UTF8.self).contains("EXAMPLES"))
    }

    private func expectRefusal(
        _ part: String, _ sentence: String, _ fill: (inout SafetensorsWriter) throws -> Void
    ) async throws {
        try await PosekitProcess.withFolder { folder in
            var writer = SafetensorsWriter()
            try fill(&writer)
            try writer.write(to: folder + "/in.safetensors")
            let out = folder + "/out.safetensors"
            let outcome = try await PosekitProcess.run([
                "run", part, "--model", PosekitProcess.golden("tiny"),
                "--in", folder + "/in.safetensors", "--out", out, "--backend", "blas",
            ])
            #expect(outcome.status == 1)
            #expect(outcome.complaints.count == 1)
            #expect(outcome.errors.contains(sentence))
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    /// Options that work.
    private static func good(_ folder: String) throws -> [String: String] {
        let given = PosekitProcess.golden("tiny/expected/synthesize")
        return [
            "--model": PosekitProcess.golden("tiny"), "--source": given + "/source.png",
            "--pose": given + "/pose.json", "--out": folder + "/out.png", "--backend": "blas",
        ]
    }

    /// Makes the file that a value in capitals stands for.
    private static func file(_ value: String, in folder: String) throws -> String {
        func joints(_ joint: String) -> String {
            "[" + Array(repeating: joint, count: 18).joined(separator: ",") + "]"
        }
        let made: (name: String, data: Data)
        switch value {
        case "BROKEN": made = ("broken.json", Data("{ nonsense".utf8))
        case "EMPTY": made = ("empty.json", Data(joints("[1, 1, 0]").utf8))
        case "FAR": made = ("far.json", Data(joints("[1e6, 1e6, 1]").utf8))
        case "NAN": made = ("nan.json", Data(joints("[NaN, 3, 1]").utf8))
        case "TRUNCATED":
            let source = PosekitProcess.golden("tiny/expected/synthesize/source.png")
            made = ("cut.png", try Data(contentsOf: URL(fileURLWithPath: source)).prefix(400))
        default: return value
        }
        try made.data.write(to: URL(fileURLWithPath: folder + "/" + made.name))
        return folder + "/" + made.name
    }
}
