import PosedTesting
import PosedVision
import Testing

@Suite struct ImageTests {
    @Test func sizesMustFit() {
        expectError(.invalidSize) { _ = try Image(width: 0, height: 4, bytes: []) }
        expectError(.invalidSize) { _ = try Image(width: -2, height: -2, bytes: [0]) }
        expectError(.invalidSize) { _ = try Image(width: 2, height: 2, bytes: [0, 0, 0]) }
        expectError(.invalidSize) { _ = try Image(width: .max, height: 3, filledWith: .black) }
    }

    @Test func cropsABox() throws {
        let image = try PictureGoldens.pattern(width: 9, height: 7)
        let part = try image.cropped(x: 2, y: 3, width: 4, height: 2)
        for y in 0..<2 {
            for x in 0..<4 { #expect(part[x, y] == image[x + 2, y + 3]) }
        }
        expectError(.invalidSize) { _ = try image.cropped(x: 6, y: 0, width: 4, height: 1) }
        expectError(.invalidSize) { _ = try image.cropped(x: -1, y: 0, width: 4, height: 1) }
        expectError(.invalidSize) { _ = try image.cropped(x: .max, y: 0, width: 1, height: 1) }
    }

    @Test func centerCropPadsWithBlack() throws {
        let image = try Image(width: 3, height: 4, filledWith: .white)
        let padded = try image.centerCropped(width: 6, height: 2)
        let row = (0..<6).map { padded[$0, 1] == .white }
        #expect(row == [false, false, true, true, true, false])
        #expect(padded.height == 2)
    }

    @Test func planesKeepTheirOrder() throws {
        let image = try Image(width: 2, height: 1, bytes: [0, 51, 255, 102, 204, 153])
        #expect(image.planes(.unit) == [0, 0.4, 0.2, 0.8, 1, 0.6])
        #expect(image.planes(.unit, layout: .nhwc) == [0, 0.2, 1, 0.4, 0.8, 0.6])
        let signed = image.planes(.signed, layout: .nhwc)
        #expect(signed[0] == -1 && signed[2] == 1)
    }

    @Test(arguments: [PlaneLayout.nchw, .nhwc])
    func signedFloatsComeBack(layout: PlaneLayout) throws {
        let image = try PictureGoldens.pattern(width: 31, height: 17)
        let back = try Image(
            signed: image.planes(.signed, layout: layout), width: 31, height: 17, layout: layout)
        #expect(back == image)
    }

    @Test func signedFloatsAreClampedAndRounded() throws {
        let values: [Float] = [-7, 9, 0, .infinity, -.infinity, 0.999]
        let image = try Image(signed: values, width: 2, height: 1, layout: .nhwc)
        #expect(image.bytes == [0, 255, 128, 255, 0, 255])
        expectError(.invalidPixels) {
            _ = try Image(signed: [0, .nan, 0], width: 1, height: 1)
        }
        expectError(.invalidSize) { _ = try Image(signed: [0, 0], width: 1, height: 1) }
    }
}
