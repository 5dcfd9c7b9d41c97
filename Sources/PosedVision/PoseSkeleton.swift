/// Which joints are connected, and the colours of limbs and joints.
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
}
