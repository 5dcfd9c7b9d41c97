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
