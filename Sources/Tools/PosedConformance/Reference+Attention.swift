import Foundation

extension Reference {
    /// Keys and values of one row, `[T, H, d]` each, dense.
    package struct KeysAndValues {
        /// T
        package var tokens: Int
        /// `[T, H, d]`
        package var k: [Float]
        /// `[T, H, d]`
        package var v: [Float]

        /// Keys and values of `tokens` tokens.
        package init(tokens: Int, k: [Float], v: [Float]) {
            (self.tokens, self.k, self.v) = (tokens, k, v)
        }
    }

    /// One row of attention: q `[Tq, H, d]` over all entries of `parts` to y `[Tq, H, d]`.
    ///
    /// - Parameter bias: `[H, Tq, Tk]`, for the keys of the first part; empty for none.
    package static func attention(
        q: [Float], heads: Int, size: Int, scale: Float, parts: [KeysAndValues], bias: [Float] = []
    ) -> [Double] {
        var y = [Double](repeating: 0, count: q.count)
        let row = heads * size
        for i in 0..<q.count / row {
            for head in 0..<heads {
                let at = i * row + head * size
                var scores: [Double] = []
                for part in parts {
                    q.withUnsafeBufferPointer { q in
                        part.k.withUnsafeBufferPointer { k in
                            for j in 0..<part.tokens {
                                let product = dot(q, at, k, j * row + head * size, size)
                                scores.append(product * Double(scale))
                            }
                        }
                    }
                }
                if let own = parts.first, !bias.isEmpty {
                    let first = (head * (q.count / row) + i) * own.tokens
                    for j in 0..<own.tokens { scores[j] += Double(bias[first + j]) }
                }
                let peak = scores.max() ?? 0
                let weights = scores.map { exp($0 - peak) }
                let total = weights.reduce(0, +)
                var index = 0
                for part in parts {
                    for j in 0..<part.tokens {
                        let weight = weights[index] / total
                        let first = j * row + head * size
                        for c in 0..<size { y[at + c] += weight * Double(part.v[first + c]) }
                        index += 1
                    }
                }
            }
        }
        return y
    }
}
