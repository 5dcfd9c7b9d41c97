extension Keypoints {
    /// How many joints OpenPose's BODY_25 has.
    package static let body25Count = 25

    /// Where each of the 18 joints stands among BODY_25's.
    private static let body25 = [
        0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
    ]

    /// The 18 joints of COCO order among the 25 of BODY_25; whatever has another count is returned as
    /// it is.
    package static func coco(body25 points: [Keypoint]) -> [Keypoint] {
        guard points.count == body25Count else { return points }
        return body25.map { points[$0] }
    }
}
