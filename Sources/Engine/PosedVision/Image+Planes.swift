extension Image {
    /// The picture as floats, `[3, H, W]` or `[H, W, 3]`.
    package func planes(
        _ normalization: ImageNormalization, layout: PlaneLayout = .nchw
    ) -> [Float] {
        [Float](unsafeUninitializedCapacity: bytes.count) { buffer, initialized in
            write(normalization, layout: layout, to: buffer)
            initialized = bytes.count
        }
    }

    /// Writes the picture as floats into the first `height · width · 3` places of a buffer.
    package func write(
        _ normalization: ImageNormalization, layout: PlaneLayout = .nchw,
        to buffer: UnsafeMutableBufferPointer<Float>
    ) {
        let count = width * height
        precondition(buffer.count >= count * 3, "a buffer that is too small for the picture")
        let (pixelStep, channelStep) = layout == .nchw ? (1, count) : (3, 1)
        bytes.withUnsafeBufferPointer { source in
            normalization.table.withUnsafeBufferPointer { table in
                for channel in 0..<3 {
                    for pixel in 0..<count {
                        buffer[channel * channelStep + pixel * pixelStep] =
                            table[channel * 256 + Int(source[pixel * 3 + channel])]
                    }
                }
            }
        }
    }

    /// A picture from floats in [−1, 1], `[3, H, W]` or `[H, W, 3]`.
    ///
    /// Values are clamped to [−1, 1]; a byte is `round((x + 1) · 127.5)`, halves to even. Throws
    /// `invalidSize` if the count does not fit and `invalidPixels` if a value is NaN.
    package init(
        signed values: UnsafeBufferPointer<Float>, width: Int, height: Int,
        layout: PlaneLayout = .nchw
    ) throws {
        let total = try Image.byteCount(width: width, height: height)
        guard values.count == total else {
            throw VisionError(
                .invalidSize,
                "a picture of \(width) × \(height) takes \(total) values, not \(values.count)")
        }
        let count = total / 3
        let (pixelStep, channelStep) = layout == .nchw ? (1, count) : (3, 1)
        var hasNaN = false
        let bytes = [UInt8](unsafeUninitializedCapacity: total) { buffer, initialized in
            for channel in 0..<3 {
                for pixel in 0..<count {
                    let value = values[channel * channelStep + pixel * pixelStep]
                    hasNaN = hasNaN || value.isNaN
                    // In this order of comparison NaN becomes −1.
                    let clamped = value > -1 ? (value < 1 ? value : 1) : -1
                    let scaled = ((clamped + 1) * 127.5).rounded(.toNearestOrEven)
                    buffer[pixel * 3 + channel] = UInt8(truncatingIfNeeded: Int32(scaled))
                }
            }
            initialized = total
        }
        guard !hasNaN else {
            throw VisionError(
                .invalidPixels, "a picture of \(width) × \(height) has values that are not numbers")
        }
        self.init(checkedWidth: width, height: height, bytes: bytes)
    }

    /// A picture from an array of floats in [−1, 1]; see the initializer that takes a buffer.
    package init(
        signed values: [Float], width: Int, height: Int, layout: PlaneLayout = .nchw
    ) throws {
        self = try values.withUnsafeBufferPointer {
            try Image(signed: $0, width: width, height: height, layout: layout)
        }
    }
}
