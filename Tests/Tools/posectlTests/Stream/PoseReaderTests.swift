import Foundation
import PosedProtos
import Testing

import posectl

@Suite struct PoseReaderTests {
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "posectl-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func all(_ reader: PoseReader) async throws -> [(String, String)] {
        var poses: [(String, String)] = []
        while let pose = try await reader.next() {
            poses.append((pose.name, String(decoding: pose.pose.file, as: UTF8.self)))
        }
        return poses
    }

    @Test func foldersAreReadInTheOrderOfTheirNumbers() async throws {
        try await withFolder { folder in
            for name in ["p10.json", "p2.json", "p1.png", ".hidden.json", "notes.md"] {
                try write(name, "\(folder)/\(name)")
            }
            let reader = try PoseReader([folder])
            #expect(reader.total == 3)
            #expect(try await all(reader).map(\.0) == ["p1", "p2", "p10"])
        }
    }

    @Test func linesAreReadOneByOne() async throws {
        try await withFolder { folder in
            try write("[1]\r\n\n  \n[2]\n\t[3]", "\(folder)/p.jsonl")
            let reader = try PoseReader(["\(folder)/p.jsonl"])
            #expect(reader.total == 3)
            #expect(try PoseReader(["-"]).total == nil)
            let poses = try await all(reader)
            #expect(poses.map(\.0) == ["000001", "000002", "000003"])
            #expect(poses.map(\.1) == ["[1]\r", "[2]", "[3]"])
        }
    }

    @Test func severalPlacesFollowEachOther() async throws {
        try await withFolder { folder in
            try write("a", "\(folder)/a.json")
            try write("[1]\n[2]\n", "\(folder)/b.jsonl")
            let reader = try PoseReader([
                "\(folder)/b.jsonl", "\(folder)/a.json", "\(folder)/b.jsonl",
            ])
            let names = try await all(reader).map(\.0)
            #expect(names == ["000001", "000002", "a", "000003", "000004"])
        }
    }

    @Test func framesOfEqualNamesAreRefused() async throws {
        try await withFolder { folder in
            for part in ["a", "b"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
            }
            try write("1", "\(folder)/a/000.json")
            try write("2", "\(folder)/b/000.json")
            let error = #expect(throws: PosectlError.self) {
                try PoseReader(["\(folder)/a", "\(folder)/b"]).checkNames()
            }
            #expect(
                error?.message.contains("\(folder)/a/000.json and \(folder)/b/000.json") == true)
            try write("3", "\(folder)/a/000.png")
            #expect(throws: PosectlError.self) { try PoseReader(["\(folder)/a"]).checkNames() }
            try FileManager.default.removeItem(atPath: "\(folder)/a/000.png")
            try PoseReader(["\(folder)/a"]).checkNames()
        }
    }

    @Test func filesMayNotBeNamedAsLines() async throws {
        try await withFolder { folder in
            try write("[1]\n[2]\n", "\(folder)/p.jsonl")
            try write("1", "\(folder)/000002.json")
            try write("1", "\(folder)/000003.json")
            try write("1", "\(folder)/2.json")
            let lines = "\(folder)/p.jsonl"
            #expect(throws: PosectlError.self) {
                try PoseReader([lines, "\(folder)/000002.json"]).checkNames()
            }
            try PoseReader([lines, "\(folder)/000003.json", "\(folder)/2.json"]).checkNames()
            #expect(throws: PosectlError.self) {
                try PoseReader([lines, lines, "\(folder)/000003.json"]).checkNames()
            }
            // Nobody knows how many come from standard input.
            #expect(throws: PosectlError.self) {
                try PoseReader(["-", "\(folder)/000003.json"]).checkNames()
            }
            try PoseReader([lines, lines]).checkNames()
        }
    }

    @Test func whatCannotBeReadIsNamed() async throws {
        try await withFolder { folder in
            let empty = #expect(throws: PosectlError.self) { try PoseReader([folder]) }
            #expect(empty?.message == "\(folder): there is no pose file in it")
            let missing = #expect(throws: PosectlError.self) {
                try PoseReader(["\(folder)/x.json"])
            }
            #expect(missing?.code == .file)
            let lines = try PoseReader(["\(folder)/x.jsonl"])
            await #expect(throws: PosectlError.self) { try await lines.next() }
            try write("gone", "\(folder)/y.json")
            let reader = try PoseReader(["\(folder)/y.json"])
            try FileManager.default.removeItem(atPath: "\(folder)/y.json")
            await #expect(throws: PosectlError.self) { try await reader.next() }
        }
    }

    @Test func endlessLinesAreRefused() async throws {
        try await withFolder { folder in
            try write(String(repeating: "a", count: (1 << 20) + 10), "\(folder)/p.jsonl")
            let reader = try PoseReader(["\(folder)/p.jsonl"])
            let error = await #expect(throws: PosectlError.self) { try await reader.next() }
            #expect(error?.message.contains("at most 1048576 bytes") == true)
        }
    }
}
