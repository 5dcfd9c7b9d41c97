/// Draws a pose on black: the body, then hands and the face where the drawer says so.
///
/// Limbs are capsules at 0.6 of their colour, bones of hands at 0.8; joints are discs at full colour, points of
/// the face white ones. A pixel's coverage is `clamp(r + 0.5 − distance, 0, 1)` with r = 4 · H / 256 for the
/// body, 1.5 for hands, 1 for the face, and the distance from the pixel's centre, which for column i lies at
/// i + 0.5. Colours are blended "over" in double precision from 0 to 255 and rounded once at the end, halves
/// to even. What lies outside the picture is clipped.
package struct PoseRenderer: Sendable {
    /// Columns of the picture.
    package let width: Int
    /// Rows of the picture.
    package let height: Int
    /// What is drawn, and how.
    package let drawer: PoseDrawer

    private static let limbShade = 0.6
    private static let boneShade = 0.8

    /// A renderer of pictures of that size. Throws `invalidSize`.
    package init(width: Int, height: Int, drawer: PoseDrawer = PoseDrawer()) throws {
        _ = try Image.byteCount(width: width, height: height)
        self.width = width
        self.height = height
        self.drawer = drawer
    }

    /// A length in pixels that is given for pictures of 256 rows.
    private func scaled(_ length: Double) -> Double { length * Double(height) / 256 }

    /// The picture of a pose. Throws what `Keypoints.placed` throws.
    package func image(of keypoints: Keypoints) throws -> Image {
        let pose = try keypoints.placed(width: width, height: height)
        var canvas =
            switch drawer.body {
            case .capsules: capsules(of: pose.points)
            case .xmdpt:
                PoseCanvas(XMDPTDrawing.image(of: pose.points, width: width, height: height))
            }
        if drawer.hands {
            draw(pose.leftHand, PoseSkeleton.leftFingers, on: &canvas)
            draw(pose.rightHand, PoseSkeleton.rightFingers, on: &canvas)
        }
        if drawer.face {
            for point in pose.face where point.isPresent {
                canvas.draw(point, point, .white, shade: 1, radius: scaled(1))
            }
        }
        return Image(checkedWidth: width, height: height, bytes: canvas.bytes)
    }

    /// Limbs as capsules, then joints as discs.
    private func capsules(of joints: [Keypoint]) -> PoseCanvas {
        var canvas = PoseCanvas(width: width, height: height)
        let radius = scaled(4)
        for (limb, color) in zip(PoseSkeleton.limbs, PoseSkeleton.colors) {
            let (from, to) = (joints[limb.from], joints[limb.to])
            guard from.isPresent, to.isPresent else { continue }
            canvas.draw(from, to, color, shade: PoseRenderer.limbShade, radius: radius)
        }
        for (joint, color) in zip(joints, PoseSkeleton.colors) where joint.isPresent {
            canvas.draw(joint, joint, color, shade: 1, radius: radius)
        }
        return canvas
    }

    /// The bones of a hand as capsules, then its joints as discs.
    private func draw(_ hand: [Keypoint], _ fingers: [RGB], on canvas: inout PoseCanvas) {
        guard !hand.isEmpty else { return }
        let radius = scaled(1.5)
        for bone in PoseSkeleton.bones {
            let (from, to) = (hand[bone.from], hand[bone.to])
            guard from.isPresent, to.isPresent else { continue }
            let color = fingers[PoseSkeleton.finger(of: bone.to)]
            canvas.draw(from, to, color, shade: PoseRenderer.boneShade, radius: radius)
        }
        for (index, joint) in hand.enumerated() where joint.isPresent {
            canvas.draw(
                joint, joint, fingers[PoseSkeleton.finger(of: index)], shade: 1, radius: radius)
        }
    }
}

/// A picture in the making: red, green and blue from 0 to 255, not yet rounded.
struct PoseCanvas {
    let width: Int
    let height: Int
    /// [H, W, 3].
    var values: [Double]

    /// A black canvas.
    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        values = [Double](repeating: 0, count: width * height * 3)
    }

    /// A picture to draw over.
    init(_ image: Image) {
        width = image.width
        height = image.height
        values = image.bytes.map(Double.init)
    }

    /// The picture, rounded to 8 bits.
    var bytes: [UInt8] {
        values.map { UInt8(truncatingIfNeeded: Int($0.rounded(.toNearestOrEven))) }
    }

    /// Blends a capsule over the canvas; from a joint to itself it is a disc.
    mutating func draw(
        _ from: Keypoint, _ to: Keypoint, _ color: RGB, shade: Double, radius: Double
    ) {
        let reach = radius + 0.5
        let columns = PoseCanvas.span(from.x, to.x, reach: reach, limit: width)
        let rows = PoseCanvas.span(from.y, to.y, reach: reach, limit: height)
        guard !columns.isEmpty, !rows.isEmpty else { return }
        let red = Double(color.red) * shade
        let green = Double(color.green) * shade
        let blue = Double(color.blue) * shade
        let (dx, dy) = (to.x - from.x, to.y - from.y)
        let squaredLength = dx * dx + dy * dy
        let width = width
        values.withUnsafeMutableBufferPointer { canvas in
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
    }

    /// The pixels along one axis whose centres may be within reach of a segment.
    private static func span(_ a: Double, _ b: Double, reach: Double, limit: Int) -> Range<Int> {
        let end = Double(limit)
        let first = min(max((min(a, b) - reach - 0.5).rounded(.down), 0), end)
        let last = min(max((max(a, b) + reach + 0.5).rounded(.up), 0), end)
        return Int(first)..<max(Int(first), Int(last))
    }
}

/// Which joints are connected, and the colours of limbs, bones, joints and points.
package enum PoseSkeleton {
    /// The limbs in drawing order, as pairs of joints counted from 0.
    package static let limbs: [(from: Int, to: Int)] = [
        (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
        (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
    ]

    /// The colours of joints 1 to 18; limb k has the colour of joint k.
    package static let colors: [RGB] = [
        RGB(255, 0, 0), RGB(255, 85, 0), RGB(255, 170, 0), RGB(255, 255, 0), RGB(170, 255, 0),
        RGB(85, 255, 0), RGB(0, 255, 0), RGB(0, 255, 85), RGB(0, 255, 170), RGB(0, 255, 255),
        RGB(0, 170, 255), RGB(0, 85, 255), RGB(0, 0, 255), RGB(85, 0, 255), RGB(170, 0, 255),
        RGB(255, 0, 255), RGB(255, 0, 170), RGB(255, 0, 85),
    ]

    /// The 20 bones of a hand in drawing order: for each finger from the wrist to its first joint, then along it.
    package static let bones: [(from: Int, to: Int)] = (0..<20).map { bone in
        (bone % 4 == 0 ? 0 : bone, bone + 1)
    }

    /// The colours of the left hand's fingers, thumb to little finger.
    package static let leftFingers: [RGB] = [
        RGB(255, 64, 64), RGB(255, 192, 64), RGB(128, 255, 64), RGB(64, 255, 192),
        RGB(64, 160, 255),
    ]

    /// The colours of the right hand's fingers, thumb to little finger.
    package static let rightFingers: [RGB] = [
        RGB(255, 160, 160), RGB(255, 232, 160), RGB(192, 255, 160), RGB(160, 255, 232),
        RGB(160, 208, 255),
    ]

    /// The finger that a joint of a hand belongs to, counted from 0; the wrist belongs to the thumb.
    package static func finger(of joint: Int) -> Int { max(0, joint - 1) / 4 }
}
