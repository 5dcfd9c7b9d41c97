import Foundation
import PosedModels
import PosedTesting
import Testing

/// Files that are no configuration at all.
@Suite struct ConfigurationFileTests {
    @Test func refusesWhatIsNoObject() throws {
        for text in ["", "[]", "{", "{\"a\": }", "nonsense", "\u{0}"] {
            let error = #expect(throws: ModelError.self) {
                try ConfigurationFile(Data(text.utf8), path: "vae/config.json")
            }
            #expect(error?.code == .malformed)
            #expect(error?.message.hasPrefix("vae/config.json: ") == true)
        }
    }

    @Test func refusesLargeFiles() {
        let data = Data("{\"a\": \"\(String(repeating: "x", count: 2 << 20))\"}".utf8)
        let error = #expect(throws: ModelError.self) {
            try ConfigurationFile(data, path: "config.json")
        }
        #expect(error?.code == .malformed)
    }

    @Test func saysWhichFileIsMissing() {
        let folder = Goldens.url("nowhere").path
        let error = #expect(throws: ModelError.self) { try ConfigurationFile(folder: folder) }
        #expect(error?.code == .unreadable)
        #expect(error?.message.contains("\(folder)/config.json") == true)
    }

    @Test func nullCountsAsMissing() throws {
        let file = try ConfigurationFile(Data(#"{"a": null, "b": 2.0}"#.utf8), path: "c")
        #expect(try file.integer("a", default: 7, in: 0...9) == 7)
        #expect(try file.number("b", in: 0...9) == 2)
        let error = #expect(throws: ModelError.self) { try file.integer("a", in: 0...9) }
        #expect(error?.message.contains("\"a\" is required") == true)
    }
}
