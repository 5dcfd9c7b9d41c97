import Foundation
import PosedVision
import PosedTesting
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

    private func arguments(_ folder: String, _ more: [String]) -> [String] {
        [
            "eval", "--model", PosekitProcess.golden("tiny"), "--data", folder,
            "--json", folder + "/report.json", "--backend", "blas", "--nfe", "2", "--seed", "5",
        ] + more
    }

    private func eval(_ folder: String, _ more: [String] = []) async throws -> BuiltProgram.Outcome
    {
        try await PosekitProcess.run(arguments(folder, more))
    }

    private func report(_ folder: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/report.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func measuresEverySubject() async throws {
        try await PosekitProcess.withFolder { folder in
            try makeData(folder)
            let outcome = try await eval(
                folder,
                [
                    "--csv", folder + "/pairs.csv", "--sheet", folder + "/sheet.png",
                    "--fd-dinov2", PosekitProcess.golden("tiny/source_encoder"),
                ])
            #expect(outcome.status == 0 && outcome.errors.isEmpty)
            let report = try report(folder)
            #expect(report["pairs"] as? Int == 3)
            let metrics = try #require(report["metrics"] as? [String: [String: Double]])
            for name in [
                "ssim", "psnr", "gradient_ratio", "detail_ratio", "ssim_mask", "psnr_mask",
                "gradient_ratio_mask", "detail_ratio_mask", "fd_dinov2",
            ] {
                let subjects = try #require(metrics[name]).keys.sorted()
                #expect(subjects == ["copy", "output", "reconstruction"])
            }
            // The second pair's source is its target.
            #expect(metrics["ssim_mask"]?["copy"] == 1)
            #expect(metrics["psnr_mask"]?["copy"] == 100)
            #expect(metrics["detail_ratio_mask"]?["copy"] == 1)
            #expect((report["failed"] as? [Any])?.isEmpty == true)
            let settings = try #require(report["settings"] as? [String: Any])
            #expect(settings["nfe"] as? Int == 2)
            #expect(settings["seed"] as? Int == 5)
            let csv = try String(contentsOfFile: folder + "/pairs.csv", encoding: .utf8)
            #expect(csv.split(separator: "\n").count == 4)
            let sheet = try Image(file: folder + "/sheet.png")
            #expect(sheet.width == 4 * 64 + 5 * 8 && sheet.height == 3 * 64 + 4 * 8)
        }
    }

    @Test func pairsDoNotDependOnTheLimit() async throws {
        try await PosekitProcess.withFolder { folder in
            try makeData(folder)
            #expect(try await eval(folder, ["--csv", folder + "/all.csv"]).status == 0)
            #expect(
                try await eval(folder, ["--csv", folder + "/one.csv", "--limit", "1"]).status == 0)
            let rows = try ["all", "one"].map { name in
                let csv = try String(contentsOfFile: "\(folder)/\(name).csv", encoding: .utf8)
                return csv.split(separator: "\n")[1].split(separator: ",").prefix(8)
            }
            #expect(rows[0] == rows[1])
            #expect(try report(folder)["pairs"] as? Int == 1)
        }
    }

    @Test func batchesAndReconstructionsAreOfTheSamePictures() async throws {
        try await PosekitProcess.withFolder { folder in
            try makeData(folder)
            var tables: [String] = []
            for more in [["--batch", "1"], ["--batch", "3"]] {
                #expect(
                    try await eval(folder, ["--csv", folder + "/pairs.csv"] + more).status == 0)
                tables.append(try String(contentsOfFile: folder + "/pairs.csv", encoding: .utf8))
            }
            #expect(tables[0] == tables[1])
            let own = try #require(try report(folder)["metrics"] as? [String: [String: Double]])
            let more = ["--reconstruction", PosekitProcess.golden("tiny-no-concatenation")]
            #expect(try await eval(folder, more).status == 0)
            let other = try #require(try report(folder)["metrics"] as? [String: [String: Double]])
            #expect(own["psnr"]?["output"] == other["psnr"]?["output"])
            #expect(own["psnr"]?["reconstruction"] != other["psnr"]?["reconstruction"])
        }
    }

    @Test func aPairThatFailsIsListedAndTheRestCounts() async throws {
        try await PosekitProcess.withFolder { folder in
            try makeData(folder)
            try Data("no picture".utf8).write(to: URL(fileURLWithPath: folder + "/b.png"))
            let outcome = try await eval(folder, ["--csv", folder + "/pairs.csv"])
            #expect(outcome.status == 1 && outcome.complaints.count == 1)
            #expect(outcome.errors.contains("2 of 3 pairs failed, the first: \(folder)/b.png: "))
            let report = try report(folder)
            #expect(report["pairs"] as? Int == 1)
            let failed = try #require(report["failed"] as? [[String: String]])
            #expect(failed.map { $0["target"] } == ["b.png", "a.png"])
            #expect(failed.allSatisfy { $0["error"]?.contains("b.png") == true })
            #expect(!FileManager.default.fileExists(atPath: folder + "/report.json.partial"))
        }
    }

    @Test func withoutAPairThereIsNoReport() async throws {
        try await PosekitProcess.withFolder { folder in
            try makeData(folder)
            try FileManager.default.removeItem(atPath: folder + "/a.png")
            let outcome = try await eval(folder)
            #expect(outcome.status == 1 && outcome.complaints.count == 1)
            #expect(outcome.errors.contains("none of 3 pairs could be measured"))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(names.allSatisfy { !$0.hasPrefix("report") })
        }
    }

    /// A pipe that nobody writes to holds the second pair up, until the process is killed.
    @Test func anInterruptedEvaluationGoesOn() async throws {
        try await PosekitProcess.withFolder { folder in
            try makeData(folder)
            #expect(try await eval(folder, ["--csv", folder + "/whole.csv"]).status == 0)
            let whole = try Data(contentsOf: URL(fileURLWithPath: folder + "/report.json"))
            try FileManager.default.removeItem(atPath: folder + "/report.json")
            let mask = try Data(contentsOf: URL(fileURLWithPath: folder + "/mask.png"))
            try FileManager.default.removeItem(atPath: folder + "/mask.png")
            #expect(mkfifo(folder + "/mask.png", 0o600) == 0)
            let process = try PosekitProcess.start(
                arguments(folder, ["--batch", "1"]))
            let partial = folder + "/report.json.partial"
            while process.isRunning, try lines(partial) < 2 {
                try await Task.sleep(for: .milliseconds(20))
            }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(try lines(partial) == 2)
            try FileManager.default.removeItem(atPath: folder + "/mask.png")
            try mask.write(to: URL(fileURLWithPath: folder + "/mask.png"))

            let other = try await eval(folder, ["--guidance", "1.3"])
            #expect(other.status == 1 && other.errors.contains("with another guidance"))
            #expect(
                try await eval(folder, ["--batch", "1", "--csv", folder + "/resumed.csv"]).status
                    == 0)
            let resumed = try Data(contentsOf: URL(fileURLWithPath: folder + "/report.json"))
            #expect(resumed == whole)
            let tables = try ["whole", "resumed"].map {
                try String(contentsOfFile: "\(folder)/\($0).csv", encoding: .utf8)
            }
            #expect(tables[0] == tables[1])
            #expect(!FileManager.default.fileExists(atPath: partial))
        }
    }

    private func lines(_ path: String) throws -> Int {
        guard let data = FileManager.default.contents(atPath: path) else { return 0 }
        return data.count { $0 == UInt8(ascii: "\n") }
    }
}
