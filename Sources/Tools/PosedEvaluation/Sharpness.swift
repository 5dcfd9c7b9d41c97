package import PosedVision

/// How much fine structure a picture shows, in 8-bit luma (Rec. 601, rounded as Pillow does).
///
/// Similarity rewards blur; these say how much of the target's structure a picture keeps.
package struct Sharpness: Equatable, Sendable {
    /// The mean of |∂x| plus the mean of |∂y|, differences of neighbours.
    package let gradient: Double
    /// The variance of the picture minus its Gaussian blur (σ 1.5, 11 taps).
    package let detail: Double

    /// Measures a picture, or the pixels of a mask: differences count whose two pixels are both in it.
    ///
    /// Nil where nothing is left to measure. Both sides must have at least `SSIM.leastSide` pixels.
    package init?(_ image: Image, mask: Mask? = nil) {
        let (width, height) = (image.width, image.height)
        guard width >= SSIM.leastSide, height >= SSIM.leastSide else { return nil }
        let luma = Self.luma(image)
        let counts = mask?.values
        guard let columns = Self.meanStep(luma, counts, width: width, dx: 1, dy: 0),
            let rows = Self.meanStep(luma, counts, width: width, dx: 0, dy: 1),
            let variance = Self.variance(luma, counts, width: width, height: height)
        else { return nil }
        gradient = columns + rows
        detail = variance
    }

    /// The picture's structure as a share of the reference's, whole and inside the pair's mask.
    ///
    /// What a flat reference would be divided by has no share and is left out.
    static func ratios(_ pair: ImagePair) -> [Metric: Double] {
        var ratios: [Metric: Double] = [:]
        func note(_ gradient: Metric, _ detail: Metric, _ mask: Mask?) {
            guard let image = Sharpness(pair.image, mask: mask),
                let reference = Sharpness(pair.reference, mask: mask)
            else { return }
            if reference.gradient > flat { ratios[gradient] = image.gradient / reference.gradient }
            if reference.detail > flat { ratios[detail] = image.detail / reference.detail }
        }
        note(.gradientRatio, .detailRatio, nil)
        if let mask = pair.mask { note(.gradientRatioMask, .detailRatioMask, mask) }
        return ratios
    }

    /// What is no more than rounding.
    private static let flat = 1e-9

    private static func luma(_ image: Image) -> [Int] {
        image.bytes.withUnsafeBufferPointer { bytes in
            (0..<image.width * image.height).map { pixel in
                let red = Int(bytes[pixel * 3]) * 19595
                let green = Int(bytes[pixel * 3 + 1]) * 38470
                let blue = Int(bytes[pixel * 3 + 2]) * 7471
                return (red + green + blue + 0x8000) >> 16
            }
        }
    }

    /// The mean difference to the neighbour that lies (dx, dy) away.
    private static func meanStep(
        _ luma: [Int], _ counts: [Bool]?, width: Int, dx: Int, dy: Int
    ) -> Double? {
        let step = dy * width + dx
        var sum = 0
        var count = 0
        for y in 0..<(luma.count / width - dy) {
            for index in (y * width)..<((y + 1) * width - dx) {
                if let counts, !counts[index] || !counts[index + step] { continue }
                sum += abs(luma[index + step] - luma[index])
                count += 1
            }
        }
        return count == 0 ? nil : Double(sum) / Double(count)
    }

    /// The variance of what a blur takes away.
    private static func variance(
        _ luma: [Int], _ counts: [Bool]?, width: Int, height: Int
    ) -> Double? {
        let window = GaussianWindow(width: width, height: height)
        var blurred = luma.map(Double.init)
        var scratch = [Double](repeating: 0, count: window.scratchCount)
        blurred.withUnsafeMutableBufferPointer { plane in
            scratch.withUnsafeMutableBufferPointer { window.blur(plane, scratch: $0) }
        }
        var (sum, squares, count) = (0.0, 0.0, 0)
        for index in luma.indices where counts?[index] ?? true {
            let difference = Double(luma[index]) - blurred[index]
            sum += difference
            squares += difference * difference
            count += 1
        }
        guard count > 0 else { return nil }
        let mean = sum / Double(count)
        return max(squares / Double(count) - mean * mean, 0)
    }
}
