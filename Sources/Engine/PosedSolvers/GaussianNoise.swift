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

/// The counter-based random generator Philox 4×32 of ten rounds: four 32-bit words for each
/// counter, independent of order, so that any part of a sequence can be made anywhere.
package struct Philox: Sendable {
    /// The two words of the key.
    private let key: SIMD2<UInt32>

    /// A generator whose key is the two halves of a seed, the low one first.
    package init(seed: UInt64) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    /// The words of a block; the counter is its index, low half first, and two zeros.
    package func block(_ index: UInt64) -> SIMD4<UInt32> {
        var x = SIMD4(
            UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), 0, 0)
        var key = key
        for _ in 0..<10 {
            let first = UInt64(x[0]) * 0xD251_1F53
            let second = UInt64(x[2]) * 0xCD9E_8D57
            x = SIMD4(
                UInt32(truncatingIfNeeded: second >> 32) ^ x[1] ^ key[0],
                UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ x[3] ^ key[1],
                UInt32(truncatingIfNeeded: first))
            key &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)
        }
        return x
    }
}
