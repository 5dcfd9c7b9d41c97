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
