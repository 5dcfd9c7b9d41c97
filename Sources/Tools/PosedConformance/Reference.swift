package import CPosedBackend
import Foundation

/// The operations of the plugin interface in plain loops with double precision: what every backend is
/// measured against. Arrays are dense and row-major, in the shapes of `posed_backend.h`.
package enum Reference {
    /// act(x) for a `posed_activation`.
    package static func activation(_ kind: posed_activation, _ x: Double) -> Double {
        switch kind {
        case POSED_ACT_RELU: max(x, 0)
        case POSED_ACT_TANH: tanh(x)
        case POSED_ACT_SILU: x / (1 + exp(-x))
        case POSED_ACT_GELU_TANH:
            0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case POSED_ACT_GELU_ERF: 0.5 * x * erfc(-x / 2.0.squareRoot())
        case POSED_ACT_TANH: tanh(x)
        default: x
        }
    }

    /// The sum of products of `count` neighbours in `a` from `i` and `b` from `j`.
    @inline(__always)
    package static func dot(
        _ a: UnsafeBufferPointer<Float>, _ i: Int, _ b: UnsafeBufferPointer<Float>, _ j: Int,
        _ count: Int
    ) -> Double {
        var sums = (0.0, 0.0, 0.0, 0.0)
        var k = 0
        while k + 4 <= count {
            sums.0 += Double(a[i + k]) * Double(b[j + k])
            sums.1 += Double(a[i + k + 1]) * Double(b[j + k + 1])
            sums.2 += Double(a[i + k + 2]) * Double(b[j + k + 2])
            sums.3 += Double(a[i + k + 3]) * Double(b[j + k + 3])
            k += 4
        }
        while k < count {
            sums.0 += Double(a[i + k]) * Double(b[j + k])
            k += 1
        }
        return sums.0 + sums.1 + sums.2 + sums.3
    }
}

extension Reference {
    /// The operands of a `linear`, dense.
    package struct Linear {
        /// B, T, K, N.
        package var batch: Int, tokens: Int, inputs: Int, outputs: Int
        /// x `[B, T, K]`
        package var x: [Float]
        /// W `[N, K]`
        package var weight: [Float]
        /// `[N]`
        package var bias: [Float]?
        /// Applied before gate and residual.
        package var activation = POSED_ACT_NONE
        /// `[B, N]`
        package var gate: [Float]?
        /// `[B, T, N]`
        package var residual: [Float]?

        /// A plain product of x `[B, T, K]` and W `[N, K]`.
        package init(
            batch: Int, tokens: Int, inputs: Int, outputs: Int, x: [Float], weight: [Float]
        ) {
            (self.batch, self.tokens, self.inputs, self.outputs) = (batch, tokens, inputs, outputs)
            (self.x, self.weight) = (x, weight)
        }
    }

    /// y `[B, T, N]`
    package static func linear(_ operands: Linear) -> [Double] {
        let (tokens, k, n) = (operands.tokens, operands.inputs, operands.outputs)
        var y = [Double](repeating: 0, count: operands.batch * tokens * n)
        operands.x.withUnsafeBufferPointer { x in
            operands.weight.withUnsafeBufferPointer { weight in
                for row in 0..<operands.batch * tokens {
                    for column in 0..<n {
                        var value = dot(x, row * k, weight, column * k, k)
                        if let bias = operands.bias { value += Double(bias[column]) }
                        value = activation(operands.activation, value)
                        if let gate = operands.gate {
                            value *= Double(gate[row / tokens * n + column])
                        }
                        if let residual = operands.residual {
                            value += Double(residual[row * n + column])
                        }
                        y[row * n + column] = value
                    }
                }
            }
        }
        return y
    }
}

extension Reference {
    /// The operands of a `conv2d`, dense and channels-last, the filter as the interface takes it.
    package struct Conv2D {
        /// N, H, W, C of x, and the channels of y.
        package var batch: Int, height: Int, width: Int, inputs: Int, outputs: Int
        /// The filter's extent.
        package var kernel: (height: Int, width: Int)
        /// The step between windows.
        package var stride = (height: 1, width: 1)
        /// Rows and columns of zeros around x.
        package var padding = (top: 0, left: 0, bottom: 0, right: 0)
        /// The factor by which x is enlarged first, 1 or 2.
        package var upsample = 1
        /// x `[N, H, W, C]`
        package var x: [Float] = []
        /// W `[O, C, kh, kw]`
        package var weight: [Float] = []
        /// `[O]`
        package var bias: [Float]?
        /// Applied last.
        package var activation = POSED_ACT_NONE
        /// `[N, Ho, Wo, O]`
        package var residual: [Float]?

        /// A convolution of x `[N, H, W, C]` whose operands are still to be given.
        package init(
            batch: Int, height: Int, width: Int, inputs: Int, outputs: Int,
            kernel: (height: Int, width: Int), stride: (height: Int, width: Int) = (1, 1),
            padding: (top: Int, left: Int, bottom: Int, right: Int) = (0, 0, 0, 0),
            upsample: Int = 1
        ) {
            (self.batch, self.height, self.width) = (batch, height, width)
            (self.inputs, self.outputs, self.kernel) = (inputs, outputs, kernel)
            (self.stride, self.padding, self.upsample) = (stride, padding, upsample)
        }

        /// Ho
        package var outHeight: Int {
            let room = height * upsample + padding.top + padding.bottom - kernel.height
            return room / stride.height + 1
        }

        /// Wo
        package var outWidth: Int {
            let room = width * upsample + padding.left + padding.right - kernel.width
            return room / stride.width + 1
        }
    }

    /// y `[N, Ho, Wo, O]`
    package static func conv2d(_ c: Conv2D) -> [Double] {
        let (ho, wo) = (c.outHeight, c.outWidth)
        var y = [Double](repeating: 0, count: c.batch * ho * wo * c.outputs)
        // [O, C, kh, kw] to [O, kh, kw, C], so that the innermost loop runs over neighbours.
        var filter = [Float](repeating: 0, count: c.weight.count)
        let taps = c.kernel.height * c.kernel.width
        for o in 0..<c.outputs {
            for channel in 0..<c.inputs {
                for tap in 0..<taps {
                    filter[(o * taps + tap) * c.inputs + channel] =
                        c.weight[(o * c.inputs + channel) * taps + tap]
                }
            }
        }
        c.x.withUnsafeBufferPointer { x in
            filter.withUnsafeBufferPointer { filter in
                for place in 0..<c.batch * ho * wo {
                    for o in 0..<c.outputs {
                        var value = window(c, x, filter, place, o)
                        let index = place * c.outputs + o
                        if let bias = c.bias { value += Double(bias[o]) }
                        if let residual = c.residual { value += Double(residual[index]) }
                        y[index] = activation(c.activation, value)
                    }
                }
            }
        }
        return y
    }

    private static func window(
        _ c: Conv2D, _ x: UnsafeBufferPointer<Float>, _ filter: UnsafeBufferPointer<Float>,
        _ place: Int, _ o: Int
    ) -> Double {
        let (column, row) = (place % c.outWidth, place / c.outWidth % c.outHeight)
        let image = place / c.outWidth / c.outHeight
        var sum = 0.0
        for i in 0..<c.kernel.height {
            let v = row * c.stride.height + i - c.padding.top
            guard v >= 0, v < c.height * c.upsample else { continue }
            for j in 0..<c.kernel.width {
                let u = column * c.stride.width + j - c.padding.left
                guard u >= 0, u < c.width * c.upsample else { continue }
                let pixel = (image * c.height + v / c.upsample) * c.width + u / c.upsample
                let tap = (o * c.kernel.height + i) * c.kernel.width + j
                sum += dot(x, pixel * c.inputs, filter, tap * c.inputs, c.inputs)
            }
        }
        return sum
    }
}

extension Reference {
    /// x `[N, P, C]` (P pixels) to y of the same shape; gamma, beta `[C]`.
    package static func groupNorm(
        _ x: [Float], batch: Int, pixels: Int, channels: Int, groups: Int, gamma: [Float],
        beta: [Float], eps: Float, activation kind: posed_activation
    ) -> [Double] {
        var y = [Double](repeating: 0, count: x.count)
        let width = channels / groups
        for image in 0..<batch {
            for group in 0..<groups {
                var places: [Int] = []
                for pixel in 0..<pixels {
                    let first = (image * pixels + pixel) * channels + group * width
                    places.append(contentsOf: first..<first + width)
                }
                let (mean, scale) = moments(places.map { Double(x[$0]) }, eps: eps)
                for place in places {
                    let channel = place % channels
                    let normal = (Double(x[place]) - mean) * scale
                    y[place] = activation(
                        kind, normal * Double(gamma[channel]) + Double(beta[channel]))
                }
            }
        }
        return y
    }

    /// x `[B, T, D]` normalized over D, then multiplied by `factor` and shifted by `shift`, `[B, D]`
    /// each, where given.
    package static func layerNorm(
        _ x: [Float], batch: Int, tokens: Int, width: Int, factor: [Double]?, shift: [Double]?,
        eps: Float
    ) -> [Double] {
        var y = [Double](repeating: 0, count: x.count)
        for row in 0..<batch * tokens {
            let first = row * width
            let (mean, scale) = moments(x[first..<first + width].map(Double.init), eps: eps)
            for index in 0..<width {
                let normal = (Double(x[first + index]) - mean) * scale
                let place = row / tokens * width + index
                y[first + index] = normal * (factor?[place] ?? 1) + (shift?[place] ?? 0)
            }
        }
        return y
    }

    /// The mean, and 1 / √(variance + eps).
    private static func moments(_ x: [Double], eps: Float) -> (Double, Double) {
        let count = Double(x.count)
        let mean = x.reduce(0, +) / count
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        return (mean, 1 / (variance + Double(eps)).squareRoot())
    }
}

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
