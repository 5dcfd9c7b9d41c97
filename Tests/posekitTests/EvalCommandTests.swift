import Foundation
import PosedVision
import Testing

/// `posekit eval` on a small made data set.
@Suite struct EvalCommandTests {
    /// Writes a data set of three pairs; one has a mask, and its target is the source itself.
    private func makeData(_ folder: String) throws {
        let given = PosekitProcess.golden("tiny/expected/synthesize")
        let picture = try Image(file: given + "/source.png").resized(width: 64, height: 64)
        try picture.writePNG(to: folder + "/a.png")
        let other = try Image(width: 64, height: 64, bytes: picture.bytes.map { 255 - $0 })
        try other.writePNG(to: folder + "/b.png")
        let half = (0..<64 * 64).flatMap { [UInt8](repeating: $0 % 64 < 32 ? 255 : 0, count: 3) }
        try Image(width: 64, height: 64, bytes: half).writePNG(to: folder + "/mask.png")
        let joints = String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: given + "/pose.json")),
            as: UTF8.self
        ).split(whereSeparator: \.isNewline).joined()
        let lines = [
            #"{"source": "a.png", "target": "b.png", "keypoints": \#(joints)}"#,
            #"{"source": "a.png", "target": "a.png", "keypoints": \#(joints), "mask": "mask.png"}"#,
            #"{"source": "b.png", "target": "a.png", "keypoints": \#(joints)}"#,
        ]
        try Data((lines.joined(separator: "\n") + "\n").utf8)
            .write(to: URL(fileURLWithPath: folder + "/pairs.jsonl"))
    }

    private func eval(_ folder: String, _ more: [String] = []) throws -> PosekitProcess.Outcome {
        try PosekitProcess.run(
            [
                "eval", "--model", PosekitProcess.golden("tiny"), "--data", folder,
                "--json", folder + "/report.json", "--backend", "blas", "--nfe", "2", "--seed", "5",
            ] + more)
    }

    private func report(_ folder: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/report.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func measuresEverySubject() throws {
        try PosekitProcess.withFolder { folder in
            try makeData(folder)
            let outcome = try eval(
                folder,
                [
                    "--csv", folder + "/pairs.csv", "--sheet", folder + "/sheet.png",
                    "--fid", PosekitProcess.golden("tiny/source_encoder"),
                ])
            #expect(outcome.status == 0 && outcome.errors.isEmpty)
            let report = try report(folder)
            #expect(report["pairs"] as? Int == 3)
            let metrics = try #require(report["metrics"] as? [String: [String: Double]])
            for name in ["ssim", "psnr", "ssim_mask", "psnr_mask", "frechet"] {
                let subjects = try #require(metrics[name]).keys.sorted()
                #expect(subjects == ["copy", "output", "reconstruction"])
            }
            // The second pair's source is its target.
            #expect(metrics["ssim_mask"]?["copy"] == 1)
            #expect(metrics["psnr_mask"]?["copy"] == 100)
            let settings = try #require(report["settings"] as? [String: Any])
            #expect(settings["nfe"] as? Int == 2)
            #expect(settings["seed"] as? Int == 5)
            let csv = try String(contentsOfFile: folder + "/pairs.csv", encoding: .utf8)
            #expect(csv.split(separator: "\n").count == 4)
            let sheet = try Image(file: folder + "/sheet.png")
            #expect(sheet.width == 4 * 64 + 5 * 8 && sheet.height == 3 * 64 + 4 * 8)
        }
    }

    @Test func pairsDoNotDependOnTheLimit() throws {
        try PosekitProcess.withFolder { folder in
            try makeData(folder)
            #expect(try eval(folder, ["--csv", folder + "/all.csv"]).status == 0)
            #expect(try eval(folder, ["--csv", folder + "/one.csv", "--limit", "1"]).status == 0)
            let rows = try ["all", "one"].map { name in
                let csv = try String(contentsOfFile: "\(folder)/\(name).csv", encoding: .utf8)
                return csv.split(separator: "\n")[1].split(separator: ",").prefix(8)
            }
            #expect(rows[0] == rows[1])
            #expect(try report(folder)["pairs"] as? Int == 1)
        }
    }

    @Test func aMissingPictureLeavesNoReport() throws {
        try PosekitProcess.withFolder { folder in
            try makeData(folder)
            try FileManager.default.removeItem(atPath: folder + "/b.png")
            let outcome = try eval(folder)
            #expect(outcome.status == 1 && outcome.complaints.count == 1)
            #expect(outcome.errors.contains("b.png"))
            #expect(!FileManager.default.fileExists(atPath: folder + "/report.json"))
        }
    }
}
