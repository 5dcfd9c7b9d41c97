/// Bicubic interpolation along one axis: for each result, the inputs that count and their weights.
///
/// It agrees with PyTorch's `interpolate` with `align_corners` false: plain with a = −0.75 and edges
/// repeated, or antialiased with a = −0.5, the filter widened when the axis shrinks, and weights of
/// what lies inside normalised.
struct BicubicAxis {
    /// One input and its weight.
    struct Tap {
        let index: Int
        let weight: Float
    }

    /// The inputs of each result.
    let taps: [[Tap]]

    /// From `inputs` samples to `outputs`, both at least 1.
    init(inputs: Int, outputs: Int, antialias: Bool) {
        let scale = Double(inputs) / Double(outputs)
        taps = (0..<outputs).map { output in
            antialias
                ? Self.antialiased(output, scale: scale, inputs: inputs)
                : Self.plain(output, scale: scale, inputs: inputs)
        }
    }

    private static func plain(_ output: Int, scale: Double, inputs: Int) -> [Tap] {
        let center = scale * (Double(output) + 0.5) - 0.5
        let base = center.rounded(.down)
        return (-1...2).map { step in
            let distance = center - base - Double(step)
            return Tap(
                index: min(max(Int(base) + step, 0), inputs - 1),
                weight: Float(kernel(distance, a: -0.75)))
        }
    }

    private static func antialiased(_ output: Int, scale: Double, inputs: Int) -> [Tap] {
        let center = scale * (Double(output) + 0.5)
        let stretch = max(scale, 1)
        let lower = max(Int(center - 2 * stretch + 0.5), 0)
        let upper = min(Int(center + 2 * stretch + 0.5), inputs)
        let weights = (lower..<upper).map { index in
            kernel((Double(index) - center + 0.5) / stretch, a: -0.5)
        }
        let sum = weights.reduce(0, +)
        return zip(lower..<upper, weights).map { Tap(index: $0, weight: Float($1 / sum)) }
    }

    /// Keys' cubic convolution kernel.
    private static func kernel(_ distance: Double, a: Double) -> Double {
        let x = abs(distance)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
        return 0
    }
}
