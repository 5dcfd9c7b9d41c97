import PosedProtos

/// Poses for requests.
enum Poses {
    /// Joints on a diagonal, in pixels from 10 on.
    static func keypoints(count: Int = 18, from start: Float = 10) -> Posed_V1_Keypoints {
        var keypoints = Posed_V1_Keypoints()
        keypoints.space = .pixels
        keypoints.joints = (0..<count).map { index in
            var joint = Posed_V1_Keypoint()
            joint.x = start + Float(index)
            joint.y = start + 2 * Float(index)
            return joint
        }
        return keypoints
    }

    /// A pose that can be drawn.
    static func pose() -> Posed_V1_Pose {
        var pose = Posed_V1_Pose()
        pose.keypoints = keypoints()
        return pose
    }
}
