import Foundation
import PosedTesting
import PosedVision
import Testing

@Suite struct ImageResizeTests {
    struct Case: Decodable {
        let from: [Int]
        let to: [Int]
        let filter: String
        let seed: Int
        let hard: Bool
        let digest: String
        let rgb: Data?
    }

    @Test func equalsPillowToTheLastByte() throws {
        let cases = try PictureGoldens.load("resize.json", as: [Case].self)
        #expect(cases.count == 32)
        for entry in cases {
            var source = try PictureGoldens.pattern(
                width: entry.from[0], height: entry.from[1], seed: entry.seed)
            if entry.hard {
                source = try Image(
                    width: source.width, height: source.height,
                    bytes: source.bytes.map { $0 > 127 ? 255 : 0 })
            }
            let result = try source.resized(
                width: entry.to[0], height: entry.to[1],
                filter: entry.filter == "bicubic" ? .bicubic : .bilinear)
            let name: Comment = "\(entry.filter) \(entry.from) to \(entry.to)"
            #expect(result.width == entry.to[0] && result.height == entry.to[1], name)
            if let rgb = entry.rgb {
                let differing = zip(result.bytes, rgb).count { $0 != $1 }
                #expect(differing == 0, name)
            }
            #expect(PictureGoldens.digest(result.bytes) == entry.digest, name)
        }
    }

    @Test func theSameSizeIsTheSamePicture() throws {
        let image = try PictureGoldens.pattern(width: 12, height: 8)
        #expect(try image.resized(width: 12, height: 8) == image)
    }

    @Test func refusesImpossibleSizes() throws {
        let image = try PictureGoldens.pattern(width: 12, height: 8)
        expectError(.invalidSize) { _ = try image.resized(width: 0, height: 8) }
        expectError(.invalidSize) { _ = try image.resized(width: 5, height: -8) }
        expectError(.invalidSize) { _ = try image.resized(width: .max, height: .max) }
    }
}
