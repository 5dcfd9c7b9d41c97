/// Tensors for models without a file: the same for the same name, of a scale that keeps activations
/// finite through many layers.
enum RandomWeights {
    /// The elements of a tensor, row-major: uniform in ±√(3 / fan-in) for matrices and filters, about 1
    /// for scales of norms and layers, about 0 for offsets.
    static func make(_ name: String, _ shape: [Int]) -> [Float] {
        let count = shape.reduce(1, *)
        let seed = hash(name)
        if shape.count < 2 {
            let center: Float = name.hasSuffix("bias") ? 0 : isScale(name) ? 1 : 0
            return values(count, seed: seed, center: center, reach: 0.02)
        }
        let fanIn = Float(shape.dropFirst().reduce(1, *))
        let reach =
            name.contains("embeddings.") && shape.count == 3 ? 0.02 : (3 / fanIn).squareRoot()
        return values(count, seed: seed, center: 0, reach: reach)
    }

    private static func isScale(_ name: String) -> Bool {
        name.hasSuffix("weight") || name.hasSuffix("lambda1")
    }

    /// Numbers uniform in [center − reach, center + reach), a function of seed and index.
    static func values(_ count: Int, seed: UInt32, center: Float, reach: Float) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { target, filled in
            let scale = reach * 0x1p-31
            for index in 0..<count {
                var bits = UInt32(truncatingIfNeeded: index) &* 0x9E37_79B9 &+ seed
                bits = (bits ^ (bits >> 16)) &* 0x85EB_CA6B
                bits = (bits ^ (bits >> 13)) &* 0xC2B2_AE35
                target[index] = center + Float(Int32(bitPattern: bits ^ (bits >> 16))) * scale
            }
            filled = count
        }
    }

    /// The 32-bit FNV-1a digest of a name.
    private static func hash(_ name: String) -> UInt32 {
        name.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }
}
