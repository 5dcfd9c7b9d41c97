import Foundation
import Testing
import posectl

@Suite struct SamplePeopleTests {
    private let folder = NSTemporaryDirectory() + "samples-" + UUID().uuidString

    private func make(_ files: String...) throws {
        for file in files {
            let url = URL(fileURLWithPath: folder + "/" + file)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: url)
        }
    }

    @Test func theFirstPersonIsTakenWhereNoneIsNamed() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try make(
            "zoe/source.png", "zoe/wave.jsonl", "amy/source.png", "amy/wave.jsonl",
            "amy/turn.jsonl", "aaa/notes.txt")
        let people = try SamplePeople(folder: folder)
        let first = try people.sample(nil, motion: "turn")
        #expect(first.person == "amy")
        #expect(first.source == folder + "/amy/source.png")
        #expect(first.poses == folder + "/amy/turn.jsonl")
        #expect(try people.sample("zoe", motion: "wave").person == "zoe")
    }

    @Test func whoOrWhatIsNotThereIsSaidWithWhatIs() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try make("amy/source.png", "amy/wave.jsonl")
        let people = try SamplePeople(folder: folder)
        let person = #expect(throws: PosectlError.self) {
            _ = try people.sample("bob", motion: "wave")
        }
        #expect(person?.message.contains("one of the sample people amy") == true)
        let motion = #expect(throws: PosectlError.self) {
            _ = try people.sample(nil, motion: "fly")
        }
        #expect(motion?.message.contains("one of the sequences wave of amy") == true)
    }

    @Test func aFolderWithoutPeopleIsRefusedByName() throws {
        let error = #expect(throws: PosectlError.self) { _ = try SamplePeople(folder: folder) }
        #expect(error?.message.contains(folder) == true)
        #expect(error?.message.contains("--samples") == true)
    }
}
