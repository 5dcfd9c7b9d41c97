package import CPosedBackend

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
