import Foundation
import PosedTesting
import PosedVision
import Testing

/// Picture files of all formats (`Tests/Goldens/make_pictures.py`).
@Suite struct ImageFilesTests {
    struct Readable: Decodable {
        let name: String
        let file: Data
        let width: Int
        let height: Int
        let background: [UInt8]
        let digest: String
    }

    struct Refused: Decodable {
        let name: String
        let file: Data
        let code: String?
    }

    struct Cases: Decodable {
        let readable: [Readable]
        let refused: [Refused]
    }

    let cases: Cases

    init() throws { cases = try PictureGoldens.load("pictures.json", as: Cases.self) }

    private func file(_ name: String) throws -> Data {
        try #require(cases.readable.first { $0.name == name }).file
    }

    @Test func readsWhatViewersRead() throws {
        #expect(cases.readable.count >= 40)
        for entry in cases.readable {
            let under = RGB(entry.background[0], entry.background[1], entry.background[2])
            let image = try Image(encoded: entry.file, name: entry.name, background: under)
            #expect(image.width == entry.width && image.height == entry.height, "\(entry.name)")
            #expect(PictureGoldens.digest(image.bytes) == entry.digest, "\(entry.name)")
        }
    }

    @Test func refusesInOneSentence() {
        #expect(cases.refused.count >= 15)
        for entry in cases.refused {
            do {
                _ = try Image(encoded: entry.file, name: "a.jpg")
                #expect(entry.code == nil, "\(entry.name) was read")
            } catch let error as VisionError {
                if let code = entry.code {
                    #expect(error.code.rawValue == code, "\(entry.name): \(error)")
                }
                #expect(error.message.hasPrefix("a.jpg: "), "\(entry.name)")
                #expect(!error.message.contains("\n"), "\(entry.name)")
            } catch {
                Issue.record(error, "\(entry.name)")
            }
        }
    }

    @Test func aDamagedFileIsNamedByItsContent() throws {
        let cut = try file("jpeg").prefix(200)
        let message = expectError(.damagedPicture) {
            _ = try Image(encoded: Data(cut), name: "a.png")
        }
        #expect(message.hasPrefix("a.png: the JPEG is damaged: "))
    }

    @Test func headersStateTheSizeShown() throws {
        for entry in cases.readable {
            let header = try Image.header(of: entry.file)
            #expect(header.width == entry.width && header.height == entry.height, "\(entry.name)")
            #expect(header.decodingBytes > entry.width * entry.height * 3, "\(entry.name)")
            #expect(Image.fileFormat(of: entry.file) == header.format, "\(entry.name)")
        }
        #expect(try Image.header(of: file("jpeg orientation 6")).format == .jpeg)
        #expect(try Image.header(of: file("webp")).format == .webp)
        #expect(Image.fileFormat(of: Data("GIF89a".utf8)) == nil)
    }

    @Test(arguments: ["jpeg 420", "jpeg progressive", "jpeg restarts", "webp", "webp lossless"])
    func everyTruncationIsRefused(name: String) throws {
        let whole = try file(name)
        // A single scan is whole without the two bytes that mark the end.
        for count in stride(from: whole.count - 3, to: 0, by: -7) {
            #expect(throws: VisionError.self, "\(count) of \(whole.count) bytes") {
                _ = try Image(encoded: Data(whole.prefix(count)))
            }
        }
    }

    @Test(arguments: ["jpeg 420", "jpeg progressive", "jpeg cmyk", "webp", "webp clear"])
    func everyFlippedByteIsRefusedOrHarmless(name: String) throws {
        let whole = try file(name)
        for index in whole.indices {
            var flipped = whole
            flipped[index] ^= 0x41
            guard let header = try? Image.header(of: flipped),
                let image = try? Image(encoded: flipped, pixelLimit: 1 << 20)
            else { continue }
            #expect(image.width == header.width && image.height == header.height)
        }
    }

    @Test(arguments: ["jpeg", "webp", "png"])
    func theLimitIsOnPixels(name: String) throws {
        let data = try file(name)
        let image = try Image(encoded: data)
        let pixels = image.width * image.height
        #expect(try Image(encoded: data, pixelLimit: pixels) == image)
        expectError(.tooLarge) { _ = try Image(encoded: data, pixelLimit: pixels - 1) }
    }

    /// 8.1 MB of text before the pixels, after them, and in a chunk that nobody knows.
    @Test func largeChunksWithoutPixelsAreSkipped() throws {
        let png = try file("png")
        let image = try Image(encoded: png)
        let end = png.count - 12
        for (name, place) in [("iTXt", 33), ("tEXt", end), ("caBX", 33)] {
            let large =
                png.prefix(place) + Self.chunk(name, count: 8_100_000) + png.suffix(from: place)
            #expect(try Image(encoded: large) == image, "\(name)")
        }
    }

    @Test func writesJPEG() throws {
        let folder = try ScratchFolder()
        let image = try PictureGoldens.pattern(width: 61, height: 37)
        let sizes = try [30, 90, 100].map { quality in
            try image.write(to: folder.path("a.JPG"), quality: quality)
            let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("a.JPG")))
            let read = try Image(file: folder.path("a.JPG"))
            #expect(Image.fileFormat(of: data) == .jpeg)
            #expect(read.width == 61 && read.height == 37)
            return data.count
        }
        #expect(sizes[0] < sizes[1] && sizes[1] < sizes[2])
        let read = try Image(encoded: try image.jpegData(quality: 100))
        let worst = zip(read.bytes, image.bytes).map { abs(Int($0) - Int($1)) }.max()
        #expect(try #require(worst) <= 4)
        try image.write(to: folder.path("a.png"))
        #expect(try Image(file: folder.path("a.png")) == image)
        let wide = try Image(width: 65501, height: 1, filledWith: .white)
        expectError(.invalidSize) { try wide.write(to: folder.path("wide.jpeg")) }
        #expect(try folder.names() == ["a.JPG", "a.png"])
    }

    /// A chunk of spaces with its checksum.
    private static func chunk(_ name: String, count: Int) -> Data {
        let body = Data(name.utf8) + Data(repeating: 0x20, count: count)
        var table: [UInt32] = []
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = (value >> 1) ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
            table.append(value)
        }
        var sum = UInt32.max
        body.withUnsafeBytes { bytes in
            for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 255)] ^ (sum >> 8) }
        }
        func number(_ value: UInt32) -> Data {
            withUnsafeBytes(of: value.bigEndian) { Data($0) }
        }
        return number(UInt32(count)) + body + number(~sum)
    }
}
