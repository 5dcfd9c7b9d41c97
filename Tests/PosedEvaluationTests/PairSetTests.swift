import Foundation
import PosedEvaluation
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
        #expect(set.path("a.png") == set.folder + "/a.png")
        #expect(set.path("/d.png") == "/d.png")
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
