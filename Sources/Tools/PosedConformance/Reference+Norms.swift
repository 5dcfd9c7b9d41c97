package import CPosedBackend

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
