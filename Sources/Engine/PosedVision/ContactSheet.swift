/// Pictures side by side on one: a row for each pair of an evaluation, say.
package struct ContactSheet: Sendable {
    /// Pixels between neighbours and around the edge.
    package var gutter: Int
    /// What shows between the pictures and in empty cells.
    package var background: RGB

    /// A sheet with gutters of that many pixels, not negative.
    package init(gutter: Int = 8, background: RGB = .white) {
        self.gutter = max(gutter, 0)
        self.background = background
    }

    /// Lays rows of pictures on a grid.
    ///
    /// A column is as wide as its widest picture and a row as high as its highest; smaller pictures
    /// are centred in their cells, nothing is scaled. Rows may be of different lengths. Throws
    /// `invalidSize` if there is no picture, `tooLarge` beyond `Image.defaultPixelLimit` pixels.
    package func image(rows: [[Image]]) throws -> Image {
        let columns = rows.map(\.count).max() ?? 0
        guard columns > 0 else {
            throw VisionError(.invalidSize, "a contact sheet needs at least one picture")
        }
        let widths = (0..<columns).map { column in
            rows.compactMap { column < $0.count ? $0[column].width : nil }.max() ?? 0
        }
        let heights = rows.map { $0.map(\.height).max() ?? 0 }
        let width = widths.reduce(gutter) { $0 + $1 + gutter }
        let height = heights.reduce(gutter) { $0 + $1 + gutter }
        try ContactSheet.check(width: width, height: height)
        var bytes = try Image(width: width, height: height, filledWith: background).bytes
        var top = gutter
        for (row, rowHeight) in zip(rows, heights) {
            var left = gutter
            for (picture, columnWidth) in zip(row, widths) {
                let x = left + (columnWidth - picture.width) / 2
                let y = top + (rowHeight - picture.height) / 2
                ContactSheet.paste(picture, into: &bytes, sheetWidth: width, x: x, y: y)
                left += columnWidth + gutter
            }
            top += rowHeight + gutter
        }
        return try Image(width: width, height: height, bytes: bytes)
    }

    /// Refuses a sheet that would be too large, before its pictures are made. Throws `tooLarge`.
    package func check(rows: Int, of columns: Int, width: Int, height: Int) throws {
        try ContactSheet.check(
            width: columns * (width + gutter) + gutter, height: rows * (height + gutter) + gutter)
    }

    private static func check(width: Int, height: Int) throws {
        guard width <= Image.defaultPixelLimit / height else {
            throw VisionError(
                .tooLarge,
                "a contact sheet of \(width) × \(height) pixels is beyond the limit of "
                    + "\(Image.defaultPixelLimit) pixels")
        }
    }

    private static func paste(
        _ picture: Image, into bytes: inout [UInt8], sheetWidth: Int, x: Int, y: Int
    ) {
        let count = picture.width * 3
        for row in 0..<picture.height {
            let to = ((y + row) * sheetWidth + x) * 3
            let from = row * count
            bytes.replaceSubrange(to..<(to + count), with: picture.bytes[from..<(from + count)])
        }
    }
}
