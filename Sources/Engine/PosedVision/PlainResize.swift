/// Resizing of float pictures without antialiasing, as PyTorch's `interpolate` does it with
/// `align_corners=False`: the filter keeps its width whatever the scale, pixels beyond the edge are those at the
/// edge, and nothing is clamped or rounded.
struct PlainResize {
    /// For each output position, its four source positions and their weights.
    private struct Axis {
        let taps: [(places: SIMD4<Int>, weights: SIMD4<Float>)]

        init(from input: Int, to output: Int, filter: Resampling) {
            let scale = Double(input) / Double(output)
            taps = (0..<output).map { position in
                let center = (Double(position) + 0.5) * scale - 0.5
                // PyTorch's linear filter does not look beyond the first pixel.
                let place = filter == .bilinear ? max(center, 0) : center
                let first = place.rounded(.down)
                let share = place - first
                let places = SIMD4(-1, 0, 1, 2) &+ Int(first)
                return (
                    places.clamped(
                        lowerBound: SIMD4(repeating: 0), upperBound: .init(repeating: input - 1)),
                    SIMD4<Float>(Axis.weights(share, filter))
                )
            }
        }

        /// The weights of the pixels before, at, after and after that of a place that lies `share` past one.
        private static func weights(_ share: Double, _ filter: Resampling) -> SIMD4<Double> {
            if filter == .bilinear { return SIMD4(0, 1 - share, share, 0) }
            let a = -0.75
            func near(_ x: Double) -> Double { ((a + 2) * x - (a + 3)) * x * x + 1 }
            func far(_ x: Double) -> Double { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
            return SIMD4(far(1 + share), near(share), near(1 - share), far(2 - share))
        }
    }

    private let columns: Axis
    private let rows: Axis
    private let width: Int

    /// From one size to another.
    init(
        from input: (width: Int, height: Int), to output: (width: Int, height: Int),
        filter: Resampling
    ) {
        columns = Axis(from: input.width, to: output.width, filter: filter)
        rows = Axis(from: input.height, to: output.height, filter: filter)
        width = input.width
    }

    /// `[H, W, 3]` to `[H', W', 3]`.
    func callAsFunction(_ pixels: [Float]) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(rows.taps.count * columns.taps.count * 3)
        var line = [Float](repeating: 0, count: width * 3)
        for (places, weights) in rows.taps {
            for index in line.indices {
                var sum: Float = 0
                for tap in 0..<4 { sum += weights[tap] * pixels[places[tap] * width * 3 + index] }
                line[index] = sum
            }
            for (places, weights) in columns.taps {
                for channel in 0..<3 {
                    var sum: Float = 0
                    for tap in 0..<4 { sum += weights[tap] * line[places[tap] * 3 + channel] }
                    result.append(sum)
                }
            }
        }
        return result
    }
}
