/// A pose: 18 joints in COCO-18 order, as OpenPose writes it.
///
/// Nose, neck, right shoulder, elbow, wrist, left shoulder, elbow, wrist, right hip, knee, ankle,
/// left hip, knee, ankle, right eye, left eye, right ear, left ear.
package struct Keypoints: Equatable, Sendable {
    /// How many joints a pose has.
    package static let count = 18

    /// The joints, in order.
    package let points: [Keypoint]
    /// What the coordinates are measured in; nil for pixels of whichever picture is drawn.
    package let frame: KeypointFrame?

    /// A pose from its joints.
    ///
    /// Without a frame, coordinates are pixels of the picture the pose is drawn to, unless no
    /// present joint has a coordinate above 1: then they are normalized to [0, 1]. Throws
    /// `incompletePose` unless there are 18, `nonFinitePose` if a number is NaN or infinite, and
    /// `emptyPose` if no joint is present.
    package init(_ points: [Keypoint], frame: KeypointFrame? = nil) throws {
        guard points.count == Keypoints.count else {
            throw VisionError(
                .incompletePose,
                "a pose has \(Keypoints.count) joints, not \(points.count)")
        }
        for (index, point) in points.enumerated() {
            guard point.x.isFinite, point.y.isFinite, point.confidence.isFinite else {
                throw VisionError(
                    .nonFinitePose,
                    "joint \(index + 1) of the pose has a value that is not a finite number")
            }
        }
        let present = points.filter(\.isPresent)
        guard !present.isEmpty else {
            throw VisionError(
                .emptyPose,
                "none of the pose's \(Keypoints.count) joints is present: each is negative or of a "
                    + "confidence below \(Keypoint.leastConfidence)")
        }
        let isNormalized = frame == nil && present.allSatisfy { $0.x <= 1 && $0.y <= 1 }
        self.points = points
        self.frame = isNormalized ? .unit : frame
    }

    /// The joints in pixels of a picture of that size; absent ones have confidence 0.
    ///
    /// Throws `poseOutsidePicture` if a present joint lies more than a picture's side beyond the
    /// right or lower edge, and `emptyPose` if none is left inside the frame's left and upper edges.
    package func placed(width: Int, height: Int) throws -> [Keypoint] {
        let placed = try points.enumerated().map { index, point in
            guard point.isPresent else { return Keypoint.absent }
            let joint = scaled(point, width: Double(width), height: Double(height))
            guard joint.x <= 2 * Double(width), joint.y <= 2 * Double(height) else {
                throw VisionError(
                    .poseOutsidePicture,
                    "joint \(index + 1) of the pose, at (\(joint.x), \(joint.y)), lies far outside "
                        + "the picture of \(width) × \(height)")
            }
            return joint.isPresent ? joint : Keypoint.absent
        }
        guard placed.contains(where: \.isPresent) else {
            throw VisionError(.emptyPose, "no joint of the pose lies inside its picture")
        }
        return placed
    }

    /// The pose with its coordinates understood as pixels of a picture of that size, so that it can
    /// be drawn to one of another; a pose that has a frame already keeps it.
    package func measured(inWidth width: Int, height: Int) -> Keypoints {
        guard frame == nil, width > 0, height > 0 else { return self }
        return Keypoints(
            unchecked: points,
            frame: KeypointFrame(width: Double(width), height: Double(height)))
    }

    private init(unchecked points: [Keypoint], frame: KeypointFrame?) {
        self.points = points
        self.frame = frame
    }

    private func scaled(_ point: Keypoint, width: Double, height: Double) -> Keypoint {
        guard let frame else { return point }
        return Keypoint(
            x: (point.x - frame.left) / frame.width * width,
            y: (point.y - frame.top) / frame.height * height, confidence: point.confidence)
    }
}
