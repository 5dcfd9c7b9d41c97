import PosedVision

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
