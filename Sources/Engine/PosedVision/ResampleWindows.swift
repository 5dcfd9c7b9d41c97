/// For every output position along one axis: where its source samples begin, and their weights.
///
/// Weights are fixed-point with 22 fractional bits, the arithmetic of Pillow's 8-bit resize: what
/// comes out of the two passes is equal to Pillow's to the last byte.
struct ResampleWindows {
    /// Fractional bits: 32, less 8 of the sample, less 2 of headroom for overshooting filters.
    static let precision: Int32 = 22

    /// The first source sample of each output position.
    let starts: [Int]
    /// The number of source samples of each output position.
    let counts: [Int]
    /// The weights, `stride` apart.
    let weights: [Int32]
    /// The distance between the weights of neighbouring output positions.
    let stride: Int

    /// Windows that take the interval `box` of a source of `input` samples to `output` samples.
    init(input: Int, box: Range<Double>, output: Int, filter: Resampling) {
        let scale = (box.upperBound - box.lowerBound) / Double(output)
        let widening = max(scale, 1)
        let support = filter.support * widening
        let stride = Int(support.rounded(.up)) * 2 + 1
        var starts = [Int](repeating: 0, count: output)
        var counts = [Int](repeating: 0, count: output)
        var weights = [Int32](repeating: 0, count: output * stride)
        var exact = [Double](repeating: 0, count: stride)
        let shrink = 1 / widening
        for position in 0..<output {
            let center = box.lowerBound + (Double(position) + 0.5) * scale
            let start = max(Int(center - support + 0.5), 0)
            let count = min(Int(center + support + 0.5), input) - start
            var sum = 0.0
            for index in 0..<count {
                let distance = Double(index + start) - center + 0.5
                exact[index] = filter.weight(at: distance * shrink)
                sum += exact[index]
            }
            for index in 0..<count {
                let normalized = sum == 0 ? exact[index] : exact[index] / sum
                weights[position * stride + index] = ResampleWindows.fixed(normalized)
            }
            starts[position] = start
            counts[position] = count
        }
        self.starts = starts
        self.counts = counts
        self.weights = weights
        self.stride = stride
    }

    private static func fixed(_ weight: Double) -> Int32 {
        let scaled = weight * Double(1 << precision)
        return Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
    }

    /// A fixed-point sum as a sample, clipped to 0…255.
    @inline(__always)
    static func clip(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: min(max(sum >> precision, 0), 255))
    }

    /// Half a unit, where every fixed-point sum starts.
    static let half: Int32 = 1 << (precision - 1)
}
