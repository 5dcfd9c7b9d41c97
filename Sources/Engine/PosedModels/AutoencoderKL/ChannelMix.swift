/// A product over channels, computed into the filter of the convolution before it, in double precision.
struct ChannelMix {
    private let product: [Float]?
    private let offset: [Float]?
    private let inputs: Int
    private let outputs: Int

    /// - Parameters:
    ///   - product: [inputs or fewer rows, inputs] row-major, of which the first `outputs` rows count;
    ///     nil keeps the first `outputs` channels as they are.
    ///   - offset: Added afterwards.
    init(_ product: [Float]?, _ offset: [Float]?, inputs: Int, outputs: Int) {
        self.product = product
        self.offset = offset
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The filter [outputs, …] and bias [outputs] of both layers in one.
    ///
    /// - Parameters:
    ///   - filter: [inputs, …], row-major.
    ///   - bias: [inputs].
    func applied(to filter: [Float], _ bias: [Float]) -> (filter: [Double], bias: [Double]) {
        let size = filter.count / inputs
        var mixedFilter = [Double](repeating: 0, count: outputs * size)
        var mixedBias = [Double](repeating: 0, count: outputs)
        for row in 0..<outputs {
            if let offset { mixedBias[row] = Double(offset[row]) }
            for column in 0..<inputs {
                let factor =
                    product.map { Double($0[row * inputs + column]) }
                    ?? (row == column ? 1 : 0)
                if factor == 0 { continue }
                mixedBias[row] += factor * Double(bias[column])
                for index in 0..<size {
                    mixedFilter[row * size + index] +=
                        factor * Double(filter[column * size + index])
                }
            }
        }
        return (mixedFilter, mixedBias)
    }
}
