import Foundation
import PosedEvaluation
import PosedTesting
import PosedVision
import Testing

/// The list of an evaluation's pairs.
@Suite struct PairSetTests {
    private static let joints =
        "[" + Array(repeating: "[10, 20, 0.9]", count: 18).joined(separator: ",") + "]"

    private func read(_ text: String?, limit: Int? = nil) throws -> PairSet {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("pairs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try text.map { try Data($0.utf8).write(to: folder.appendingPathComponent("pairs.jsonl")) }
        return try PairSet(folder: folder.path, limit: limit)
    }

    @Test func readsLinesAndSkipsEmptyOnes() throws {
        let set = try read(
            """
            {"source": "a.png", "target": "b.png", "keypoints": \(Self.joints)}

            {"source": "c.png", "target": "/d.png", "keypoints": \(Self.joints), "mask": "m.png"}

            """)
        #expect(set.pairs.map(\.source) == ["a.png", "c.png"])
        #expect(set.pairs.map(\.mask) == [nil, "m.png"])
        #expect(try set.path("a.png") == set.folder + "/a.png")
        #expect(try set.path("/d.png") == "/d.png")
    }

    /// DeepFashion as PIDM has it: names in a list, pictures with margins, poses in text.
    @Test func readsPIDMsList() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("pairs-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        for folder in ["img/WOMEN", "Img/img/WOMEN", "pose/WOMEN"] {
            try FileManager.default.createDirectory(
                at: url.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: url.appendingPathComponent(name))
        }
        try write(
            "img/WOMEN/b.jpg,img/WOMEN/a.jpg\n\nimg/WOMEN/b.jpg,img/WOMEN/a.jpg,img/WOMEN/c.jpg\n",
            "test_pairs.txt")
        try write(
            (0..<18).map { "\(60 + $0) \(20 + $0)" }.joined(separator: "\n"), "pose/WOMEN/b.txt")
        let picture = try PictureGoldens.pattern(width: 256, height: 256)
        try picture.write(to: url.path + "/img/WOMEN/b.jpg", quality: 100)
        try picture.write(to: url.path + "/Img/img/WOMEN/a.png")
        let set = try PairSet(folder: url.path)
        #expect(set.pairs.map(\.source) == ["a", "a", "c"].map { "img/WOMEN/\($0).jpg" })
        #expect(Set(set.pairs.map(\.target)) == ["img/WOMEN/b.jpg"])
        let target = try set.picture("img/WOMEN/b.jpg")
        #expect(target.width == 176 && target.height == 256)
        #expect(
            try set.picture("img/WOMEN/a.jpg")
                == picture.cropped(x: 40, y: 0, width: 176, height: 256))
        guard case .keypoints(let pose) = try set.pose(of: set.pairs[0], target) else {
            Issue.record("joints were expected")
            return
        }
        #expect(try pose.placed(width: 176, height: 256).points[0].x == 20)
        let error = #expect(throws: EvaluationError.self) { try set.picture("img/WOMEN/c.jpg") }
        #expect(error?.message.contains("img/WOMEN/c: a .jpg or .png expected") == true)
        #expect(try PairSet(folder: url.path, limit: 2).pairs.count == 2)
        try write("img/WOMEN/b.jpg\n", "test_pairs.txt")
        let list = #expect(throws: EvaluationError.self) { try PairSet(folder: url.path) }
        #expect(list?.message.contains("test_pairs.txt, line 1: ") == true)
    }

    @Test func stopsAtTheLimit() throws {
        let line = #"{"source": "a", "target": "b", "keypoints": \#(Self.joints)}"#
        #expect(try read(line + "\n" + line + "\nnonsense", limit: 2).pairs.count == 2)
    }

    @Test(arguments: [
        (nil, "cannot be read"), ("", "at least one pair"), ("nonsense", "line 1: "),
        (#"{"source": "a", "target": "b"}"#, "\"keypoints\" is missing"),
        (#"{"source": 1, "target": "b", "keypoints": []}"#, "\"source\" is none"),
        (#"{"source": "a", "target": "b", "keypoints": [[1, 2, 3]]}"#, "136 joints was expected"),
    ])
    func refusesInOneSentence(text: String?, sentence: String) throws {
        let error = #expect(throws: EvaluationError.self) { try read(text) }
        #expect(error?.message.contains(sentence) == true)
    }
}
