import Foundation
import PosedProtos
import PosedVision
import PosedTesting
import Testing

import posectl

/// Frames as a film.
@Suite struct FilmTests {
    /// The planes of a frame, luma first.
    private func planes(_ frame: Data, width: Int, height: Int) throws -> [[UInt8]] {
        let bytes = [UInt8](
            try #require(frame.starts(with: Data("FRAME\n".utf8)) ? frame : nil).dropFirst(6))
        let (luma, chroma) = (width * height, ((width + 1) / 2) * ((height + 1) / 2))
        #expect(bytes.count == luma + 2 * chroma)
        return [
            Array(bytes[..<luma]), Array(bytes[luma..<(luma + chroma)]),
            Array(bytes[(luma + chroma)...]),
        ]
    }

    @Test func coloursAreThoseOfRec601() throws {
        // By the definition, rounded: white, black, red, green, blue.
        for (color, expected) in [
            (RGB.white, [235, 128, 128]), (.black, [16, 128, 128]),
            (RGB(255, 0, 0), [81, 90, 240]), (RGB(0, 255, 0), [145, 54, 34]),
            (RGB(0, 0, 255), [41, 240, 110]),
        ] {
            var encoder = FilmEncoder(width: 3, height: 5, rate: 25)
            let frame = try encoder.frame(
                try Image(width: 3, height: 5, filledWith: color), name: "a")
            let planes = try planes(frame, width: 3, height: 5)
            #expect(planes.map { Set($0) } == expected.map { [UInt8($0)] })
        }
    }

    @Test func chromaIsTheMeanOfFourPixels() throws {
        let (a, b) = (RGB(255, 0, 0), RGB(0, 0, 255))
        let image = try Image(
            width: 2, height: 2,
            bytes: [a, b, b, a].flatMap { [$0.red, $0.green, $0.blue] })
        var encoder = FilmEncoder(width: 2, height: 2, rate: 25)
        let planes = try planes(try encoder.frame(image, name: "a"), width: 2, height: 2)
        #expect(planes == [[81, 41, 41, 81], [165], [175]])
    }

    @Test(arguments: [(25.0, "25:1"), (29.97, "2997:100"), (12.5, "25:2"), (0.1, "1:10")])
    func theHeaderSaysSizeAndRate(rate: Double, text: String) {
        let header = FilmEncoder(width: 64, height: 32, rate: rate).header
        #expect(
            String(decoding: header, as: UTF8.self)
                == "YUV4MPEG2 W64 H32 F\(text) Ip A1:1 C420jpeg XCOLORRANGE=LIMITED\n")
    }

    @Test func framesOfAnotherSizeAreRefused() throws {
        var encoder = FilmEncoder(width: 4, height: 4, rate: 25)
        let other = try Image(width: 4, height: 6, filledWith: .white)
        let error = #expect(throws: PosectlError.self) { try encoder.frame(other, name: "000007") }
        #expect(error?.message.hasPrefix("000007: ") == true)
        #expect(error?.message.contains("4 × 4") == true)
    }

    @Test func filmsAreToldByTheirNames() {
        for path in ["a.mp4", "b/A.MP4", "c.webm", "d.y4m", "-"] {
            #expect(FilmEncoder.isFilm(path))
        }
        for path in ["frames", "frames/", "mp4", "a.png", "-x"] {
            #expect(!FilmEncoder.isFilm(path))
        }
    }

    /// Pose 3 is superseded, pose 5 fails: the frame before is shown again.
    @Test func aStreamBecomesAFilm() async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                let lines = Data(String(repeating: "[]\n", count: 6).utf8)
                try lines.write(to: URL(fileURLWithPath: "\(folder)/poses.jsonl"))
                let outcome = try await PosectlProcess.run([
                    "stream", "--address", "unix:\(daemon.path)", "--session", "a", "--poses",
                    "\(folder)/poses.jsonl", "--out", "\(folder)/film.y4m", "--fps", "12.5",
                ])
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains("1 of 6 poses failed"))
                let film = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/film.y4m"))
                let head = FilmEncoder(width: 1, height: 1, rate: 12.5).header
                let frame = Data("FRAME\n".utf8) + [81, 90, 240]
                #expect(film == head + Data((1...6).map { _ in frame }.joined()))
                #expect(daemon.with { $0.starts.first?.settings.imageFormat } == .rawRgb8)
                let names = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(names.sorted() == ["film.y4m", "poses.jsonl"])
            }
        }
    }

    @Test func standardOutputHoldsTheFilmAlone() async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                try Data("[]\n[]\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/poses.jsonl"))
                let outcome = try await PosectlProcess.run([
                    "stream", "--address", "unix:\(daemon.path)", "--session", "a", "--poses",
                    "\(folder)/poses.jsonl", "--out", "-",
                ])
                #expect(outcome.status == 0)
                let frame = Data("FRAME\n".utf8) + [81, 90, 240]
                #expect(
                    outcome.output
                        == FilmEncoder(width: 1, height: 1, rate: 25).header + frame + frame)
                #expect(outcome.errors.contains("2 in "))
            }
        }
    }

    @Test func aStreamThatBreaksLeavesNoFilm() async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                daemon.with { $0.isGone = true }
                try Data("[]\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/poses.jsonl"))
                let outcome = try await PosectlProcess.run([
                    "stream", "--address", "unix:\(daemon.path)", "--session", "a", "--poses",
                    "\(folder)/poses.jsonl", "--out", "\(folder)/film.y4m",
                ])
                #expect(outcome.status != 0)
                let names = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(names == ["poses.jsonl"])
            }
        }
    }

    @Test func posesOfOneNameMakeAFilmButNoFolder() async throws {
        try await FakeDaemon.run { daemon in
            try await PosectlProcess.withFolder { folder in
                var poses: [String] = []
                for name in ["a", "b"] {
                    try FileManager.default.createDirectory(
                        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
                    poses.append("\(folder)/\(name)/000.json")
                    try Data("[]".utf8).write(to: URL(fileURLWithPath: poses[poses.count - 1]))
                }
                for (out, status) in [("out", Int32(4)), ("film.y4m", 0)] {
                    let outcome = try await PosectlProcess.run(
                        ["stream", "--address", "unix:\(daemon.path)", "--session", "a", "--poses"]
                            + poses + ["--out", "\(folder)/\(out)"])
                    #expect(outcome.status == status)
                }
                let names = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(names.sorted() == ["a", "b", "film.y4m"])
            }
        }
    }
}
