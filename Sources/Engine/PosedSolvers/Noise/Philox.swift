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
