import Foundation
import PosedBase
import Testing

/// The JSON that every room reads, against Foundation's reader and by its refusals.
@Suite struct JSONValueTests {
    private func parse(_ text: String, nonFinite: Bool = false) throws -> JSONValue {
        try JSONValue(parsing: Data(text.utf8), allowsNonFinite: nonFinite)
    }

    @Test func readsEveryKindOfValue() throws {
        let text =
            #" {"a": [1, -2.5e2, 3.0], "b\u00e9\ud83d\ude00": "x\n\"", "c": null, "d": true} "#
        let value = try parse(text)
        #expect(value["a"]?.elements?.compactMap(\.double) == [1, -250, 3])
        #expect(value["a"]?.elements?.map(\.integer) == [1, -250, 3])
        #expect(value["bé😀"]?.text == "x\n\"")
        #expect(value["c"]?.isNull == true)
        guard case .bool(true)? = value["d"] else { throw Unexpected() }
        guard case .object(let members) = value else { throw Unexpected() }
        #expect(members.map(\.key) == ["a", "bé😀", "c", "d"])
        let foundation = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        #expect(
            foundation["a"]?.elements?.map(\.double) == value["a"]?.elements?.map(\.double))
        #expect(foundation["bé😀"]?.brief == value["bé😀"]?.brief)
    }

    @Test(arguments: [
        ("", 0), ("{", 1), ("[1,]", 3), ("[1] 2", 4), (#"{"a": 1, "a": 2}"#, 12), ("nul", 0),
        ("'a'", 0), (#""\ud800""#, 7), ("[01]", 2), ("[1.]", 3), ("NaN", 0), ("[-Infinity]", 2),
        ("\u{1}", 0), ("\"a\u{1}\"", 3), (#"{"a" 1}"#, 5), ("// x\n1", 0),
    ])
    func saysWhereATextIsNoJSON(_ text: String, _ offset: Int) throws {
        let fault = #expect(throws: JSONValue.Fault.self) { try parse(text) }
        #expect(fault?.offset == offset, "\(fault?.description ?? "")")
    }

    @Test func readsPythonsNumbersWhereAsked() throws {
        let values = try parse("[NaN, Infinity, -Infinity, -1]", nonFinite: true).elements ?? []
        #expect(values.count == 4)
        #expect(values[0].double?.isNaN == true)
        #expect(values.dropFirst().map(\.double) == [.infinity, -.infinity, -1])
    }

    @Test func boundsTheNesting() throws {
        let deep = String(repeating: "[", count: 33) + String(repeating: "]", count: 33)
        #expect(throws: JSONValue.Fault.self) { try parse(deep) }
        _ = try parse(String(deep.dropFirst().dropLast()))
    }

    @Test func quotesForMessages() {
        #expect("a\u{7}b".quoted() == #""a\u{7}b""#)
        #expect("abcdef".quoted(limit: 3) == #""abc…""#)
    }

    private struct Unexpected: Error {}
}

/// Files that are whole under their names, or not there.
@Suite struct WholeFileTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test func aFileAppearsWhenItIsCommitted() throws {
        try inFolder { folder in
            let path = folder + "/a.bin"
            try WholeFile.write(Data([1, 2]), to: path)
            do {
                let file = try AtomicFile(path: path)
                try file.write([3])
                #expect(try WholeFile.read(path, limit: 8) == Data([1, 2]))
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.bin"])
            let file = try AtomicFile(path: path)
            try file.write([3, 4, 5])
            try file.commit(durably: true)
            #expect(try WholeFile.read(path, limit: 8) == Data([3, 4, 5]))
            try WholeFile.write(json: ["b": 1, "a": 2], to: path)
            let text = String(decoding: try WholeFile.read(path, limit: 99), as: UTF8.self)
            #expect(text == "{\n  \"a\" : 2,\n  \"b\" : 1\n}\n")
        }
    }

    @Test func saysWhyAFileCannotBeReadOrWritten() throws {
        try inFolder { folder in
            for (path, reason) in [
                (folder + "/none", "there is no such file"),
                (folder, "a file was expected, this is a folder"),
                ("/dev/zero", "the file is larger than the 100 bytes allowed"),
            ] {
                let problem = #expect(throws: FileProblem.self) {
                    try WholeFile.read(path, limit: 100)
                }
                #expect(problem?.description == reason)
            }
            let problem = #expect(throws: FileProblem.self) {
                try WholeFile.write(Data(), to: folder + "/none/a")
            }
            #expect(problem?.description == "No such file or directory")
        }
    }
}
