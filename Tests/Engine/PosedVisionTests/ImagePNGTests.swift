import Foundation
import PosedTesting
import PosedVision
import Testing

@Suite struct ImagePNGTests {
    struct Readable: Decodable {
        let name: String
        let png: Data
        let width: Int
        let height: Int
        let background: [UInt8]
        let rgb: Data
    }

    struct Hostile: Decodable {
        let name: String
        let png: Data
        let code: String
    }

    struct Cases: Decodable {
        let readable: [Readable]
        let hostile: [Hostile]
    }

    let cases: Cases

    init() throws { cases = try PictureGoldens.load("png.json", as: Cases.self) }

    @Test func readsEveryColourTypeDepthAndInterlacing() throws {
        #expect(cases.readable.count >= 46)
        for entry in cases.readable {
            let under = RGB(entry.background[0], entry.background[1], entry.background[2])
            let image = try Image(encoded: entry.png, name: entry.name, background: under)
            #expect(image.width == entry.width && image.height == entry.height, "\(entry.name)")
            let matches = image.bytes == [UInt8](entry.rgb)
            #expect(matches, "\(entry.name)")
        }
    }

    @Test func refusesHostileFilesWithOneSentence() {
        #expect(cases.hostile.count >= 29)
        for entry in cases.hostile {
            do {
                _ = try Image(encoded: entry.png, name: "a.png")
                Issue.record("\(entry.name) was read")
            } catch let error as VisionError {
                #expect(error.code.rawValue == entry.code, "\(entry.name): \(error)")
                #expect(error.message.hasPrefix("a.png: "), "\(entry.name)")
                #expect(!error.message.contains("\n"), "\(entry.name)")
            } catch {
                Issue.record(error, "\(entry.name)")
            }
        }
    }

    @Test func everyTruncationIsRefused() throws {
        let whole = try #require(cases.readable.first { $0.name == "rgba16-adam7" }).png
        for count in 0..<whole.count {
            #expect(throws: VisionError.self, "\(count) bytes") {
                _ = try Image(encoded: Data(whole.prefix(count)))
            }
        }
    }

    @Test func everyFlippedByteIsRefusedOrHarmless() throws {
        let whole = try #require(cases.readable.first { $0.name == "palette4-trns-adam7" })
        for index in whole.png.indices {
            var flipped = whole.png
            flipped[index] ^= 0x41
            #expect(throws: VisionError.self, "byte \(index)") { _ = try Image(encoded: flipped) }
        }
    }

    @Test func theLimitIsOnPixels() throws {
        let png = try PictureGoldens.pattern(width: 20, height: 10).pngData()
        #expect(try Image(encoded: png, pixelLimit: 200).width == 20)
        let message = expectError(.tooLarge) { _ = try Image(encoded: png, pixelLimit: 199) }
        #expect(message.contains("20 × 10") && message.contains("199"))
    }

    @Test func writesWhatItReads() throws {
        let folder = try ScratchFolder()
        let image = try PictureGoldens.pattern(width: 61, height: 37)
        for level in [0, 1, 6, 9] {
            try image.writePNG(to: folder.path("a.png"), compression: level)
            #expect(try Image(file: folder.path("a.png")) == image)
        }
        #expect(try folder.names() == ["a.png"])
    }

    @Test func writesGrey() throws {
        let values = (0..<12).map { UInt8($0 * 20) }
        let image = try Image(encoded: try Image.grayPNGData(values, width: 4, height: 3))
        #expect(image.bytes == values.flatMap { [$0, $0, $0] })
        expectError(.invalidSize) { _ = try Image.grayPNGData(values, width: 4, height: 4) }
    }

    @Test func filesThatCannotBeReadOrWritten() throws {
        let folder = try ScratchFolder()
        expectError(.unreadableFile) { _ = try Image(file: folder.path("none.png")) }
        expectError(.unreadableFile) { _ = try Image(file: folder.path("")) }
        let image = try Image(width: 1, height: 1, filledWith: .white)
        let message = expectError(.unwritableFile) {
            try image.writePNG(to: folder.path("no/such/folder/a.png"))
        }
        #expect(message.contains("no/such/folder/a.png"))
        #expect(try folder.names().isEmpty)
    }
}
