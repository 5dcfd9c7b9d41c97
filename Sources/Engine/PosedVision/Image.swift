/// An 8-bit RGB picture, `[H, W, 3]`, rows top to bottom without padding.
package struct Image: Equatable, Sendable {
    /// Columns, at least 1.
    package let width: Int
    /// Rows, at least 1.
    package let height: Int
    /// `height · width · 3` bytes.
    package let bytes: [UInt8]

    /// The most pixels that a picture is read with unless a caller says otherwise: 64 Mi.
    package static let defaultPixelLimit = 64 << 20

    /// A picture from its bytes, `[H, W, 3]`.
    ///
    /// Throws `invalidSize` if a side is not positive or the count of bytes does not fit.
    package init(width: Int, height: Int, bytes: [UInt8]) throws {
        let count = try Image.byteCount(width: width, height: height)
        guard bytes.count == count else {
            throw VisionError(
                .invalidSize,
                "a picture of \(width) × \(height) takes \(count) bytes, not \(bytes.count)")
        }
        self.init(checkedWidth: width, height: height, bytes: bytes)
    }

    /// A picture of one colour. Throws `invalidSize` if a side is not positive.
    package init(width: Int, height: Int, filledWith color: RGB) throws {
        let count = try Image.byteCount(width: width, height: height)
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for start in stride(from: 0, to: count, by: 3) {
                buffer[start] = color.red
                buffer[start + 1] = color.green
                buffer[start + 2] = color.blue
            }
            initialized = count
        }
        self.init(checkedWidth: width, height: height, bytes: bytes)
    }

    /// For callers within this module that have already counted.
    init(checkedWidth width: Int, height: Int, bytes: [UInt8]) {
        assert(width > 0 && height > 0 && bytes.count == width * height * 3)
        self.width = width
        self.height = height
        self.bytes = bytes
    }

    /// The colour at column `x`, row `y`; both must lie inside.
    package subscript(x: Int, y: Int) -> RGB {
        precondition(x >= 0 && x < width && y >= 0 && y < height, "a pixel outside the picture")
        let start = (y * width + x) * 3
        return RGB(bytes[start], bytes[start + 1], bytes[start + 2])
    }

    /// The bytes that `[height, width, 3]` takes, or `invalidSize`.
    static func byteCount(width: Int, height: Int) throws -> Int {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, pixels <= Int.max / 3 else {
            throw VisionError(
                .invalidSize, "a picture cannot be \(width) pixels wide and \(height) high")
        }
        return pixels * 3
    }
}

/// An 8-bit colour.
package struct RGB: Hashable, Sendable {
    /// Red, 0 to 255.
    package let red: UInt8
    /// Green, 0 to 255.
    package let green: UInt8
    /// Blue, 0 to 255.
    package let blue: UInt8

    /// A colour from its three components.
    package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// (255, 255, 255).
    package static let white = RGB(255, 255, 255)
    /// (0, 0, 0).
    package static let black = RGB(0, 0, 0)
}
