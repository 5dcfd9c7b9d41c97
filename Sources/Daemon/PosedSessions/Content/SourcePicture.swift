package import PosedErrors

/// A source picture as a session keeps it: what was decoded, not the file it came in.
package struct SourcePicture: Hashable, Sendable {
    /// The most pixels of a side.
    package static let greatestSide = 16_384

    /// Pixels of a row.
    package let width: Int
    /// Rows.
    package let height: Int
    /// Red, green and blue of every pixel, row by row, [H, W, 3].
    package let pixels: [UInt8]

    /// A picture of `width` × `height` pixels.
    ///
    /// - Throws: `invalidArgument` when the size is out of bounds or the bytes are not as many.
    package init(width: Int, height: Int, pixels: [UInt8]) throws(RequestError) {
        let sides = 1...Self.greatestSide
        guard sides.contains(width), sides.contains(height) else {
            throw RequestError(
                .invalidArgument,
                "a picture's sides are 1 to \(Self.greatestSide) pixels, but this one has "
                    + "\(width) × \(height)")
        }
        guard pixels.count == width * height * 3 else {
            throw RequestError(
                .invalidArgument,
                "a picture of \(width) × \(height) pixels has \(width * height * 3) bytes, but "
                    + "\(pixels.count) came")
        }
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Bytes of memory that the pixels take.
    package var byteCount: Int { pixels.count }
}
