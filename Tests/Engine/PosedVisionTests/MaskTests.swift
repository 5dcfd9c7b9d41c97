import PosedVision
import Testing

@Suite struct MaskTests {
    @Test func isWhatIsBright() throws {
        let image = try Image(width: 2, height: 1, bytes: [0, 128, 0, 127, 127, 127])
        let mask = Mask(image)
        #expect(mask.values == [true, false] && mask.count == 1)
    }

    @Test func resizesToTheNearest() throws {
        let mask = try Mask(width: 2, height: 2, values: [true, false, false, true])
        let large = try mask.resized(width: 4, height: 4)
        #expect(large.values[0] && large.values[5] && !large.values[2] && large.values[15])
        #expect(try large.resized(width: 2, height: 2) == mask)
        expectError(.invalidSize) { _ = try Mask(width: 2, height: 2, values: [true]) }
    }
}
