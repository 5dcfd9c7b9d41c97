/// Draws a pose: limbs as capsules at 0.6 of their colour, then joints as discs, on black.
///
/// A pixel's coverage is `clamp(r + 0.5 − distance, 0, 1)` with r = 4 · H / 256 and the distance
/// from the pixel's centre, which for column i lies at i + 0.5. Colours are blended "over" in
/// double precision from 0 to 255 and rounded once at the end, halves to even.
package struct PoseRenderer: Sendable {
    /// Columns of the picture.
    package let width: Int
    /// Rows of the picture.
    package let height: Int

    /// How much of its colour a limb shows.
    private static let limbShade = 0.6

    /// A renderer of pictures of that size. Throws `invalidSize`.
    package init(width: Int, height: Int) throws {
        _ = try Image.byteCount(width: width, height: height)
        self.width = width
        self.height = height
    }

    /// The radius of limbs and joints, in pixels.
    package var radius: Double { 4 * Double(height) / 256 }

    /// The picture of a pose. Throws what `Keypoints.placed` throws.
    package func image(of keypoints: Keypoints) throws -> Image {
        let joints = try keypoints.placed(width: width, height: height)
        var canvas = [Double](repeating: 0, count: width * height * 3)
        canvas.withUnsafeMutableBufferPointer { canvas in
            for (limb, color) in zip(PoseSkeleton.limbs, PoseSkeleton.colors) {
                let (from, to) = (joints[limb.from], joints[limb.to])
                guard from.isPresent, to.isPresent else { continue }
                draw(from, to, color, shade: PoseRenderer.limbShade, on: canvas)
            }
            for (joint, color) in zip(joints, PoseSkeleton.colors) where joint.isPresent {
                draw(joint, joint, color, shade: 1, on: canvas)
            }
        }
        let bytes = canvas.map { UInt8(truncatingIfNeeded: Int($0.rounded(.toNearestOrEven))) }
        return Image(checkedWidth: width, height: height, bytes: bytes)
    }

    /// Blends a capsule over the canvas; from a joint to itself it is a disc.
    private func draw(
        _ from: Keypoint, _ to: Keypoint, _ color: RGB, shade: Double,
        on canvas: UnsafeMutableBufferPointer<Double>
    ) {
        let reach = radius + 0.5
        let columns = PoseRenderer.span(from.x, to.x, reach: reach, limit: width)
        let rows = PoseRenderer.span(from.y, to.y, reach: reach, limit: height)
        let red = Double(color.red) * shade
        let green = Double(color.green) * shade
        let blue = Double(color.blue) * shade
        let (dx, dy) = (to.x - from.x, to.y - from.y)
        let squaredLength = dx * dx + dy * dy
        for row in rows {
            let y = Double(row) + 0.5 - from.y
            for column in columns {
                let x = Double(column) + 0.5 - from.x
                var along = 0.0
                if squaredLength > 0 {
                    along = min(max((x * dx + y * dy) / squaredLength, 0), 1)
                }
                let (awayX, awayY) = (x - along * dx, y - along * dy)
                let distance = (awayX * awayX + awayY * awayY).squareRoot()
                let coverage = min(max(reach - distance, 0), 1)
                if coverage == 0 { continue }
                let at = (row * width + column) * 3
                let rest = 1 - coverage
                canvas[at] = canvas[at] * rest + red * coverage
                canvas[at + 1] = canvas[at + 1] * rest + green * coverage
                canvas[at + 2] = canvas[at + 2] * rest + blue * coverage
            }
        }
    }

    /// The pixels along one axis whose centres may be within reach of a segment.
    private static func span(_ a: Double, _ b: Double, reach: Double, limit: Int) -> Range<Int> {
        let end = Double(limit)
        let first = min(max((min(a, b) - reach - 0.5).rounded(.down), 0), end)
        let last = min(max((max(a, b) + reach + 0.5).rounded(.up), 0), end)
        return Int(first)..<max(Int(first), Int(last))
    }
}
