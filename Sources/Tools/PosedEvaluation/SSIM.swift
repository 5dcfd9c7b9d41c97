import Foundation
package import PosedVision

/// Structural similarity of 8-bit pictures, the mean of the three channels.
///
/// Equal to scikit-image's `structural_similarity` with Gaussian weights, σ 1.5, population
/// covariance and a data range of 255: an 11 × 11 window, K1 = 0.01, K2 = 0.03.
package struct SSIM: Sendable {
    /// The smallest side a picture may have: that of the window.
    package static let leastSide = 2 * GaussianWindow.radius + 1

    /// Columns of the map.
    package let width: Int
    /// Rows of the map.
    package let height: Int
    /// The similarity around each pixel, averaged over the channels, `[H, W]`, edges included.
    package let map: [Double]

    private let mask: Mask?

    /// Measures a pair. Throws `pictureTooSmall` if a side is shorter than the window.
    package init(_ pair: ImagePair) throws {
        width = pair.image.width
        height = pair.image.height
        mask = pair.mask
        guard width >= SSIM.leastSide, height >= SSIM.leastSide else {
            throw EvaluationError(
                .pictureTooSmall,
                "SSIM takes pictures of at least \(SSIM.leastSide) × \(SSIM.leastSide) pixels, "
                    + "not \(width) × \(height)")
        }
        var map = [Double](repeating: 0, count: width * height)
        var planes = SSIMPlanes(width: width, height: height)
        for channel in 0..<3 {
            planes.load(pair, channel: channel)
            planes.addSimilarity(to: &map)
        }
        for index in map.indices { map[index] /= 3 }
        self.map = map
    }

    /// The mean over the pixels whose whole window lies inside the picture.
    package var value: Double {
        let radius = GaussianWindow.radius
        var sum = 0.0
        for y in radius..<(height - radius) {
            for x in radius..<(width - radius) { sum += map[y * width + x] }
        }
        return sum / Double((width - 2 * radius) * (height - 2 * radius))
    }

    /// The mean over the pixels of the mask, edges included, or nil if the pair has none.
    package var maskedValue: Double? {
        guard let mask else { return nil }
        var sum = 0.0
        var count = 0
        for (similarity, counts) in zip(map, mask.values) where counts {
            sum += similarity
            count += 1
        }
        return sum / Double(count)
    }
}

/// The blurred moments of one channel of two pictures: x, y, x², y², xy.
private struct SSIMPlanes {
    private let count: Int
    private let window: GaussianWindow
    private var moments: [[Double]]
    private var scratch: [Double]

    init(width: Int, height: Int) {
        count = width * height
        window = GaussianWindow(width: width, height: height)
        moments = Array(repeating: [Double](repeating: 0, count: width * height), count: 5)
        scratch = [Double](repeating: 0, count: window.scratchCount)
    }

    mutating func load(_ pair: ImagePair, channel: Int) {
        SSIMPlanes.read(pair.image, channel, into: &moments[0])
        SSIMPlanes.read(pair.reference, channel, into: &moments[1])
        for (target, factors) in [(2, (0, 0)), (3, (1, 1)), (4, (0, 1))] {
            let (a, b) = (moments[factors.0], moments[factors.1])
            moments[target].withUnsafeMutableBufferPointer { product in
                a.withUnsafeBufferPointer { a in
                    b.withUnsafeBufferPointer { b in
                        for index in 0..<count { product[index] = a[index] * b[index] }
                    }
                }
            }
        }
        for index in moments.indices {
            moments[index].withUnsafeMutableBufferPointer { plane in
                scratch.withUnsafeMutableBufferPointer { window.blur(plane, scratch: $0) }
            }
        }
    }

    private static func read(_ image: Image, _ channel: Int, into plane: inout [Double]) {
        let count = plane.count
        plane.withUnsafeMutableBufferPointer { plane in
            image.bytes.withUnsafeBufferPointer { bytes in
                for index in 0..<count { plane[index] = Double(bytes[index * 3 + channel]) }
            }
        }
    }

    func addSimilarity(to map: inout [Double]) {
        let c1 = (0.01 * 255) * (0.01 * 255)
        let c2 = (0.03 * 255) * (0.03 * 255)
        let (meanX, meanY) = (moments[0], moments[1])
        let (squareX, squareY, product) = (moments[2], moments[3], moments[4])
        map.withUnsafeMutableBufferPointer { map in
            for index in 0..<count {
                let (x, y) = (meanX[index], meanY[index])
                let (xx, yy, xy) = (x * x, y * y, x * y)
                let varianceX = squareX[index] - xx
                let varianceY = squareY[index] - yy
                let covariance = product[index] - xy
                map[index] +=
                    (2 * xy + c1) * (2 * covariance + c2)
                    / ((xx + yy + c1) * (varianceX + varianceY + c2))
            }
        }
    }
}

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

/// Two pictures of one size that are compared, and the pixels that count.
package struct ImagePair: Sendable {
    /// The picture that is measured.
    package let image: Image
    /// The picture it should equal.
    package let reference: Image
    /// The pixels that masked metrics look at, or nil for none such.
    package let mask: Mask?

    /// A pair. Throws `sizeMismatch`, or `emptyMask` if the mask has no pixel that counts.
    package init(_ image: Image, reference: Image, mask: Mask? = nil) throws {
        guard image.width == reference.width, image.height == reference.height else {
            throw EvaluationError(
                .sizeMismatch,
                "a picture of \(image.width) × \(image.height) cannot be compared with one of "
                    + "\(reference.width) × \(reference.height)")
        }
        if let mask {
            guard mask.width == image.width, mask.height == image.height else {
                throw EvaluationError(
                    .sizeMismatch,
                    "a mask of \(mask.width) × \(mask.height) does not fit a picture of "
                        + "\(image.width) × \(image.height)")
            }
            guard mask.values.contains(true) else {
                throw EvaluationError(.emptyMask, "no pixel of the mask counts")
            }
        }
        self.image = image
        self.reference = reference
        self.mask = mask
    }
}
