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

/// The order in which a picture's values are laid out as floats.
package enum PlaneLayout: Sendable {
    /// `[3, H, W]`: a whole plane of red, then of green, then of blue.
    case nchw
    /// `[H, W, 3]`: the three values of a pixel side by side.
    case nhwc
}

/// How the 256 values of a byte become floats, channel by channel.
///
/// A byte has few values: each channel's floats are computed once, in the very arithmetic of the
/// reference implementations, and then looked up.
package struct ImageNormalization: Equatable, Sendable {
    /// 3 · 256 floats: those of red, of green, of blue.
    let table: [Float]

    /// From [0, 255] to [−1, 1], as diffusers scales the pictures of an autoencoder.
    package static let signed = ImageNormalization { _, byte in Float(byte) / 255 * 2 - 1 }

    /// From [0, 255] to [0, 1].
    package static let unit = ImageNormalization { _, byte in Float(byte) / 255 }

    /// As transformers does it: times `rescale`, then less `mean` and divided by `deviation`, where
    /// given, in the order red, green, blue.
    package init(rescale: Double?, mean: [Double]?, deviation: [Double]?) {
        precondition(mean?.count ?? 3 == 3 && deviation?.count ?? 3 == 3, "three channels")
        self.init { channel, byte in
            var value = Float(byte)
            if let rescale { value = Float(Double(byte) * rescale) }
            if let mean { value -= Float(mean[channel]) }
            if let deviation { value /= Float(deviation[channel]) }
            return value
        }
    }

    private init(_ value: (Int, Int) -> Float) {
        var table = [Float](repeating: 0, count: 3 * 256)
        for channel in 0..<3 {
            for byte in 0..<256 { table[channel * 256 + byte] = value(channel, byte) }
        }
        self.table = table
    }
}
