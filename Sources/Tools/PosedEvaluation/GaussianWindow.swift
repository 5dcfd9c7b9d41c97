import Foundation

/// The blur of SSIM: 11 taps of a Gaussian with σ 1.5, edges mirrored (the edge sample repeats).
struct GaussianWindow {
    /// How far the window reaches to either side.
    static let radius = 5

    /// The weights of distances 0 to `radius`.
    private let weights: [Double]
    private let width: Int
    private let height: Int

    /// Blurs planes of `[height, width]`, each side at least `radius`.
    init(width: Int, height: Int) {
        let sigma = 1.5
        let raw = (0...GaussianWindow.radius).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
        let sum = raw[0] + 2 * raw.dropFirst().reduce(0, +)
        weights = raw.map { $0 / sum }
        self.width = width
        self.height = height
    }

    /// Blurs a plane in place. `scratch` holds at least `height · width + 2 · radius` values.
    func blur(
        _ plane: UnsafeMutableBufferPointer<Double>,
        scratch: UnsafeMutableBufferPointer<Double>
    ) {
        blurColumns(plane, into: scratch)
        let line = UnsafeMutableBufferPointer(rebasing: scratch[(width * height)...])
        for y in 0..<height {
            blurRow(
                UnsafeMutableBufferPointer(rebasing: scratch[(y * width)..<((y + 1) * width)]),
                line: line,
                into: UnsafeMutableBufferPointer(rebasing: plane[(y * width)..<((y + 1) * width)]))
        }
    }

    /// How many values the scratch of `blur` takes.
    var scratchCount: Int { width * height + width + 2 * GaussianWindow.radius }

    private func blurColumns(
        _ plane: UnsafeMutableBufferPointer<Double>,
        into output: UnsafeMutableBufferPointer<Double>
    ) {
        for y in 0..<height {
            let at = y * width
            let center = weights[0]
            for x in 0..<width { output[at + x] = plane[at + x] * center }
            for distance in 1...GaussianWindow.radius {
                let above = GaussianWindow.mirrored(y - distance, height) * width
                let below = GaussianWindow.mirrored(y + distance, height) * width
                let weight = weights[distance]
                for x in 0..<width {
                    output[at + x] += (plane[above + x] + plane[below + x]) * weight
                }
            }
        }
    }

    private func blurRow(
        _ row: UnsafeMutableBufferPointer<Double>, line: UnsafeMutableBufferPointer<Double>,
        into output: UnsafeMutableBufferPointer<Double>
    ) {
        let radius = GaussianWindow.radius
        for x in 0..<width { line[radius + x] = row[x] }
        for distance in 1...radius {
            line[radius - distance] = row[GaussianWindow.mirrored(-distance, width)]
            line[radius + width - 1 + distance] =
                row[GaussianWindow.mirrored(width - 1 + distance, width)]
        }
        let (w0, w1, w2) = (weights[0], weights[1], weights[2])
        let (w3, w4, w5) = (weights[3], weights[4], weights[5])
        for x in 0..<width {
            let inner = line[x + 5] * w0 + (line[x + 4] + line[x + 6]) * w1
            let middle = (line[x + 3] + line[x + 7]) * w2 + (line[x + 2] + line[x + 8]) * w3
            output[x] =
                inner + middle + (line[x + 1] + line[x + 9]) * w4
                + (line[x] + line[x + 10]) * w5
        }
    }

    /// The sample that stands in for one beyond an edge: … 1 0 | 0 1 2 …
    private static func mirrored(_ index: Int, _ count: Int) -> Int {
        if index < 0 { return -1 - index }
        return index < count ? index : 2 * count - 1 - index
    }
}
