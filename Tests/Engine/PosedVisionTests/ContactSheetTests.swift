import PosedVision
import Testing

@Suite struct ContactSheetTests {
    @Test func laysOutAGrid() throws {
        let red = try Image(width: 4, height: 2, filledWith: RGB(255, 0, 0))
        let blue = try Image(width: 2, height: 4, filledWith: RGB(0, 0, 255))
        let sheet = try ContactSheet(gutter: 1).image(rows: [[red, blue], [blue]])
        #expect(sheet.width == 1 + 4 + 1 + 2 + 1 && sheet.height == 1 + 4 + 1 + 4 + 1)
        #expect(sheet[1, 2] == RGB(255, 0, 0))  // centred in a row of 4
        #expect(sheet[1, 1] == .white)
        #expect(sheet[6, 1] == RGB(0, 0, 255))
        #expect(sheet[2, 6] == RGB(0, 0, 255))  // centred in a column of 4
        #expect(sheet[6, 7] == .white)
    }

    @Test func needsAPicture() {
        expectError(.invalidSize) { _ = try ContactSheet().image(rows: [[], []]) }
    }
}
