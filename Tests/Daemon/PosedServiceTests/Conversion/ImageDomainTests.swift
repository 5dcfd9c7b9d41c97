import Foundation
import PosedErrors
import PosedProtos
import PosedServing
import PosedVision
import Testing

import PosedService

@Suite struct ImageDomainTests {
    @Test func aPNGAndRawPixelsOfOnePictureAreEqual() throws {
        let image = try Pictures.image()
        #expect(try Pictures.png().image(at: "image", maxSide: 16) == image)
        #expect(try Pictures.raw().image(at: "image", maxSide: 16) == image)
    }

    @Test func aJPEGIsReadFromAnyFieldOfFiles() throws {
        let data = try Pictures.image().jpegData(quality: 100)
        let expected = try Image(encoded: data)
        for field in [\Posed_V1_Image.jpeg, \.png, \.webp] {
            var image = Posed_V1_Image()
            image[keyPath: field] = data
            #expect(try image.image(at: "image", maxSide: 16) == expected)
            #expect(image.cost(maxSide: 16).isHeavy)
        }
        let made = try Posed_V1_Image(try Pictures.image(), as: .jpeg(quality: 100))
        #expect(made.jpeg == data)
    }

    @Test func boxesAndFitsAreRead() throws {
        var image = try Pictures.png()
        image.box.x = -3
        image.box.width = 5
        image.box.height = 9
        let framing = try Posed_V1_Image.framing(
            [try Pictures.png(), image], fit: .crop, at: "sources", fitAt: "source_fit")
        #expect(framing.fit == .crop)
        #expect(framing.boxes == [nil, PictureBox(x: -3, y: 0, width: 5, height: 9)])
        image.box.width = 0
        expectRefusal("sources[0].box.width: expected a number from 1 to 2147483647, got 0") {
            try Posed_V1_Image.framing(
                [image], fit: .unspecified, at: "sources", fitAt: "source_fit")
        }
        expectRefusal("source_fit: expected a known fit, got 9") {
            try Posed_V1_Image.framing(
                [], fit: .UNRECOGNIZED(9), at: "sources", fitAt: "source_fit")
        }
    }

    @Test func rawPixelsCarryTheirSize() throws {
        let raw = try Pictures.raw(width: 5, height: 2).raw
        #expect(raw.width == 5)
        #expect(raw.height == 2)
        #expect(raw.rgb.count == 30)
    }

    @Test func nothingIsNoPicture() {
        expectRefusal("sources[3]: expected `png`, `jpeg`, `webp` or `raw`, got none of them") {
            try Posed_V1_Image().image(at: FieldPath("sources")[3], maxSide: 16)
        }
    }

    @Test(arguments: [(0, 3), (-1, 3), (17, 3)])
    func rawWidthsAreBounded(width: Int32, height: Int32) throws {
        var image = try Pictures.raw()
        image.raw.width = width
        expectRefusal("pose.picture.raw.width: expected a number from 1 to 16, got \(width)") {
            try image.image(at: "pose.picture", maxSide: 16)
        }
    }

    @Test func rawBytesMustBeAllThere() throws {
        var image = try Pictures.raw()
        image.raw.rgb.removeLast()
        expectRefusal("image.raw.rgb: expected 3 bytes for each of 4 × 3 pixels, got 35") {
            try image.image(at: "image", maxSide: 16)
        }
    }

    @Test func theLargestRawSizeDoesNotOverflow() throws {
        var image = try Pictures.raw()
        image.raw.width = .max
        image.raw.height = .max
        expectRefusal(
            "image.raw.rgb: expected 3 bytes for each of 2147483647 × 2147483647 pixels, got 36"
        ) {
            try image.image(at: "image", maxSide: Int(Int32.max))
        }
    }

    @Test func textIsNoPNG() {
        var image = Posed_V1_Image()
        image.png = Data("not a picture, however long it may be".utf8)
        #expect(throws: RequestError.self) { try image.image(at: "image", maxSide: 16) }
        image.png = Data()
        #expect(throws: RequestError.self) { try image.image(at: "image", maxSide: 16) }
    }

    @Test func aBombIsRefusedByItsHeader() throws {
        var image = Posed_V1_Image()
        image.png = try Pictures.claim(width: 60_000, height: 60_000)
        expectRefusal(
            "image.png: expected a picture of at most 2048 pixels a side, got 60000 × 60000"
        ) {
            try image.image(at: "image", maxSide: 2048)
        }
        // Few pixels, but on one long line.
        image.png = try Pictures.claim(width: 1, height: 4_000_000)
        expectRefusal(
            "image.png: expected a picture of at most 2048 pixels a side, got 1 × 4000000"
        ) {
            try image.image(at: "image", maxSide: 2048)
        }
    }

    @Test func everyTruncationOfAPNGIsRefusedWithItsPath() throws {
        let whole = try Pictures.png().png
        for count in 0..<whole.count {
            var image = Posed_V1_Image()
            image.png = whole.prefix(count)
            let error = #expect(throws: RequestError.self) {
                try image.image(at: "image", maxSide: 16)
            }
            #expect(error?.description.hasPrefix("image.png: the picture: ") == true)
        }
    }

    @Test func dataMayBeASliceOfSomethingLarger() throws {
        let png = try Pictures.png().png
        var image = Posed_V1_Image()
        image.png = (Data([1, 2, 3]) + png).dropFirst(3)
        #expect(try image.image(at: "image", maxSide: 16) == Pictures.image())
    }

    @Test func onlyWhatIsCheapIsReadAtOnce() throws {
        #expect(try Pictures.png().cost(maxSide: 16).isHeavy)
        #expect(try !Pictures.raw().cost(maxSide: 16).isHeavy)
        #expect(try Pictures.raw(width: 1024, height: 1024).cost(maxSide: 1024).isHeavy)
        #expect(!Posed_V1_Image().cost(maxSide: 16).isHeavy)
    }

    /// A picture is charged what its decoder needs, told by its header, and then what its pixels take.
    @Test func readingIsChargedWhatTheDecoderNeeds() throws {
        let picture = try Image(width: 300, height: 200, filledWith: .white)
        for data in [try picture.pngData(), try picture.jpegData()] {
            var image = Posed_V1_Image()
            image.png = data
            let cost = image.cost(maxSide: 300)
            #expect(cost.kept == 180_000)
            #expect(cost.most == (try Image.header(of: data)).decodingBytes)
            var pose = Posed_V1_Pose()
            pose.file = data
            #expect(pose.cost(maxSide: 300) == cost)
            // The second picture is decoded while the first one's pixels are kept.
            let both = [image, image].cost(maxSide: 300)
            #expect(both.kept == 360_000 && both.most == 180_000 + cost.most)
            // One that is too large is refused by its header.
            #expect(image.cost(maxSide: 299).most == 0)
        }
        let raw = try Pictures.raw(width: 64, height: 64).cost(maxSide: 64)
        #expect(raw.kept == 12_288 && raw.most == 12_288)
    }

    @Test func sourcesAreCounted() throws {
        var limits = ServingLimits()
        limits.maxSources = 2
        let image = try Pictures.raw()
        #expect(
            try Posed_V1_Image.images([image, image], at: "sources", limits: limits).count == 2)
        expectRefusal("sources: expected 1 to 2 pictures, got 0") {
            try Posed_V1_Image.images([], at: "sources", limits: limits)
        }
        expectRefusal("sources: expected 1 to 2 pictures, got 3") {
            try Posed_V1_Image.images([image, image, image], at: "sources", limits: limits)
        }
        expectRefusal("sources[1]: expected `png`, `jpeg`, `webp` or `raw`, got none of them") {
            try Posed_V1_Image.images([image, Posed_V1_Image()], at: "sources", limits: limits)
        }
    }
}
