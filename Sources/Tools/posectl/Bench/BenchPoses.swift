import Foundation
package import PosedProtos

/// Poses for a bench: given, or of a figure that walks on the spot.
package enum BenchPoses {
    /// So many different poses of one stride.
    package static func walk(_ count: Int) -> [Posed_V1_Pose] {
        (0..<count).map { walk(phase: 2 * .pi * Double($0) / Double(max(count, 1))) }
    }

    /// A figure in the middle of its picture, at a point of its stride.
    private static func walk(phase: Double) -> Posed_V1_Pose {
        let swing = 0.07 * sin(phase)
        let lift = 0.03 * cos(phase)
        let joints: [(Double, Double)] = [
            (0.50, 0.14), (0.50, 0.24),  // nose, neck
            (0.42, 0.24), (0.40 - swing, 0.37), (0.40 - 2 * swing, 0.48 - lift),  // right arm
            (0.58, 0.24), (0.60 + swing, 0.37), (0.60 + 2 * swing, 0.48 + lift),  // left arm
            (0.45, 0.50), (0.45 + swing, 0.68), (0.45 + 1.5 * swing, 0.86 - lift),  // right leg
            (0.55, 0.50), (0.55 - swing, 0.68), (0.55 - 1.5 * swing, 0.86 + lift),  // left leg
            (0.48, 0.12), (0.52, 0.12), (0.45, 0.13), (0.55, 0.13),  // eyes, ears
        ]
        var pose = Posed_V1_Pose()
        pose.keypoints.space = .normalized
        pose.keypoints.joints = joints.map { x, y in
            var joint = Posed_V1_Keypoint()
            joint.x = Float(x)
            joint.y = Float(y)
            return joint
        }
        return pose
    }

    /// A picture of noise for each of so many sessions, so that none shares another's conditioning.
    package static func pictures(_ count: Int, side: Int = 256) -> [[Posed_V1_Image]] {
        (0..<count).map { index in
            var generator = SplitMix64(state: UInt64(index) &+ 1)
            var image = Posed_V1_Image()
            image.raw.width = Int32(side)
            image.raw.height = Int32(side)
            image.raw.rgb = Data(
                (0..<(side * side * 3)).map { _ in UInt8.random(in: 0...255, using: &generator) })
            return [image]
        }
    }
}
