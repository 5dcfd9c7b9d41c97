import Foundation

/// The standard normal noise that a solve begins with: a function of the seed alone, the same on
/// every machine and device.
package enum GaussianNoise {
    /// Fills a buffer, such as a latent [C, h, w] in row-major order, with independent standard
    /// normal numbers.
    ///
    /// Each Philox block makes four by the Box–Muller transform, in double precision, rounded to
    /// float at the end. A shorter buffer of the same seed holds the beginning of a longer one.
    package static func fill(_ buffer: UnsafeMutableBufferPointer<Float>, seed: UInt64) {
        let generator = Philox(seed: seed)
        for start in stride(from: 0, to: buffer.count, by: 4) {
            let normals = normals(generator.block(UInt64(start / 4)))
            for offset in 0..<min(4, buffer.count - start) {
                buffer[start + offset] = Float(normals[offset])
            }
        }
    }

    /// As `fill`, into an array of its own.
    package static func make(count: Int, seed: UInt64) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]), seed: seed)
            filled = count
        }
    }

    private static func normals(_ words: SIMD4<UInt32>) -> SIMD4<Double> {
        let uniform = (SIMD4<Double>(words) + 0.5) * 0x1p-32
        let first = (-2 * log(uniform[0])).squareRoot()
        let second = (-2 * log(uniform[2])).squareRoot()
        let firstAngle = 2 * Double.pi * uniform[1]
        let secondAngle = 2 * Double.pi * uniform[3]
        return SIMD4(
            first * cos(firstAngle), first * sin(firstAngle), second * cos(secondAngle),
            second * sin(secondAngle))
    }
}
