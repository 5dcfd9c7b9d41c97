/// Which pixels of a picture count, `[H, W]`.
package struct Mask: Equatable, Sendable {
    /// Columns.
    package let width: Int
    /// Rows.
    package let height: Int
    /// `height · width` answers, rows top to bottom.
    package let values: [Bool]

    /// A mask from its values. Throws `invalidSize` if their count does not fit.
    package init(width: Int, height: Int, values: [Bool]) throws {
        guard values.count == (try Image.byteCount(width: width, height: height)) / 3 else {
            throw VisionError(
                .invalidSize,
                "a mask of \(width) × \(height) does not have \(values.count) values")
        }
        self.width = width
        self.height = height
        self.values = values
    }

    /// The pixels of a picture whose brightest channel is at least `threshold`.
    package init(_ image: Image, threshold: UInt8 = 128) {
        width = image.width
        height = image.height
        values = stride(from: 0, to: image.bytes.count, by: 3).map { start in
            max(image.bytes[start], image.bytes[start + 1], image.bytes[start + 2]) >= threshold
        }
    }

    /// How many pixels count.
    package var count: Int { values.lazy.filter { $0 }.count }

    /// The mask at another size: each pixel takes the answer of the nearest one.
    package func resized(width newWidth: Int, height newHeight: Int) throws -> Mask {
        if newWidth == width && newHeight == height { return self }
        _ = try Image.byteCount(width: newWidth, height: newHeight)
        var resized: [Bool] = []
        resized.reserveCapacity(newWidth * newHeight)
        for y in 0..<newHeight {
            let row = (2 * y + 1) * height / (2 * newHeight) * width
            for x in 0..<newWidth {
                resized.append(values[row + (2 * x + 1) * width / (2 * newWidth)])
            }
        }
        return try Mask(width: newWidth, height: newHeight, values: resized)
    }
}
