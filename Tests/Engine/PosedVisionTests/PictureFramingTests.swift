import PosedTesting
import PosedVision
import Testing

/// How a picture of another aspect is brought to the one that is wanted.
@Suite struct PictureFramingTests {
    private func framed(
        _ image: Image, _ fit: PictureFit, aspect: Double? = nil, box: PictureBox? = nil,
        width: Int = 256, height: Int = 256
    ) throws -> Image {
        try PictureFraming(fit: fit, aspect: aspect)
            .framed(image, width: width, height: height, box: box)
    }

    @Test(arguments: PictureFit.allCases)
    func aPictureOfTheRightAspectStaysAsItIs(fit: PictureFit) throws {
        let square = try PictureGoldens.pattern(width: 40, height: 40)
        #expect(try framed(square, fit) == square)
        let high = try PictureGoldens.pattern(width: 11, height: 16)
        #expect(try framed(high, fit, aspect: 0.6875) == high)
        #expect(try framed(high, fit, width: 176, height: 256) == high)
    }

    @Test func stretchTakesTheWholePictureOrTheBox() throws {
        let image = try PictureGoldens.pattern(width: 60, height: 20)
        #expect(try framed(image, .stretch) == image)
        let box = PictureBox(x: 10, y: 5, width: 7, height: 15)
        #expect(
            try framed(image, .stretch, box: box)
                == image.cropped(x: 10, y: 5, width: 7, height: 15))
    }

    @Test func cropTakesTheMiddle() throws {
        let wide = try PictureGoldens.pattern(width: 60, height: 20)
        #expect(try framed(wide, .crop) == wide.cropped(x: 20, y: 0, width: 20, height: 20))
        let high = try PictureGoldens.pattern(width: 20, height: 60)
        #expect(try framed(high, .crop) == high.cropped(x: 0, y: 20, width: 20, height: 20))
        #expect(
            try framed(high, .crop, aspect: 0.5) == high.cropped(x: 0, y: 10, width: 20, height: 40)
        )
    }

    @Test func cropKeepsTheBoxInsideThePicture() throws {
        let image = try PictureGoldens.pattern(width: 100, height: 80)
        let inner = PictureBox(x: 30, y: 20, width: 20, height: 40)
        #expect(
            try framed(image, .crop, box: inner)
                == image.cropped(x: 20, y: 20, width: 40, height: 40))
        let corner = PictureBox(x: 90, y: 0, width: 10, height: 30)
        #expect(
            try framed(image, .crop, box: corner)
                == image.cropped(x: 70, y: 0, width: 30, height: 30))
        // A box that is wider than the picture can be at that aspect.
        let wide = PictureBox(x: 0, y: 30, width: 100, height: 20)
        #expect(
            try framed(image, .crop, box: wide)
                == image.cropped(x: 10, y: 0, width: 80, height: 80))
    }

    @Test func padAddsABorderOfTheBordersColour() throws {
        let high = try Image(width: 10, height: 30, filledWith: RGB(200, 100, 50))
        let padded = try framed(high, .pad)
        #expect(padded.width == 30 && padded.height == 30)
        #expect(padded == (try Image(width: 30, height: 30, filledWith: RGB(200, 100, 50))))
        let picture = try PictureGoldens.pattern(width: 12, height: 6)
        let square = try framed(picture, .pad)
        #expect(square.width == 12 && square.height == 12)
        #expect(try square.cropped(x: 0, y: 3, width: 12, height: 6) == picture)
        let edges = (0..<12).flatMap { [picture[$0, 0], picture[$0, 5]] }
        let red = (edges.reduce(0) { $0 + Int($1.red) } + 12) / 24
        #expect(square[4, 0].red == UInt8(red) && square[9, 11].red == UInt8(red))
    }

    @Test func padShowsWhatThereIsAroundTheBox() throws {
        let image = try PictureGoldens.pattern(width: 100, height: 40)
        let box = PictureBox(x: 20, y: 0, width: 20, height: 40)
        #expect(
            try framed(image, .pad, box: box)
                == image.cropped(x: 10, y: 0, width: 40, height: 40))
        let edge = PictureBox(x: 0, y: 0, width: 20, height: 40)
        let padded = try framed(image, .pad, box: edge)
        #expect(padded.width == 40 && padded.height == 40)
        #expect(
            try padded.cropped(x: 10, y: 0, width: 30, height: 40)
                == image.cropped(x: 0, y: 0, width: 30, height: 40))
    }

    @Test(arguments: PictureFit.allCases)
    func boxesAreCutToThePicture(fit: PictureFit) throws {
        let image = try PictureGoldens.pattern(width: 30, height: 30)
        let large = PictureBox(x: -10, y: -10, width: 500, height: 500)
        #expect(try framed(image, fit, box: large) == image)
        for box in [
            PictureBox(x: 30, y: 0, width: 5, height: 5),
            PictureBox(x: 0, y: 0, width: 0, height: 9),
            PictureBox(x: -9, y: 0, width: 9, height: 9),
            PictureBox(x: 3, y: 3, width: -2, height: 4),
        ] {
            let message = expectError(.invalidSize) { _ = try framed(image, fit, box: box) }
            #expect(message.contains("30 × 30"))
        }
        let far = PictureBox(x: .max, y: 0, width: .max, height: 4)
        expectError(.invalidSize) { _ = try framed(image, fit, box: far) }
    }
}
