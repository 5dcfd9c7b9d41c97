import Foundation
import PosedOptions
import PosedProtos
package import PosedVision

extension PoseOptions {
    /// The pose of the person in the source; nil where poses stay as they are. Throws what a pose file throws.
    func target() throws -> Posed_V1_Pose? { try retarget.map { try InputFile.pose($0) } }
}

extension Posed_V1_Pose {
    /// One frame of a file with several; nobody for nil.
    package init(_ pose: Keypoints?) {
        self.init()
        guard let pose else {
            keypoints.space = .normalized
            keypoints.joints = (0..<Keypoints.count).map { _ in Posed_V1_Keypoint(.absent) }
            return
        }
        if case .frame(let frame) = pose.units {
            keypoints.space = .normalized
            func list(_ joints: [Keypoint]) -> [Posed_V1_Keypoint] {
                joints.map { joint in
                    Posed_V1_Keypoint(
                        joint.isPresent
                            ? Keypoint(
                                x: (joint.x - frame.left) / frame.width,
                                y: (joint.y - frame.top) / frame.height,
                                confidence: joint.confidence) : .absent)
                }
            }
            keypoints.joints = list(pose.points)
            keypoints.leftHand = list(pose.leftHand)
            keypoints.rightHand = list(pose.rightHand)
            keypoints.face = list(pose.face)
            return
        }
        // Pixels of a picture that nobody named must fit the one that is made: the daemon checks that of files.
        func list(_ joints: [Keypoint]) -> String {
            "[" + joints.map { "[\($0.x), \($0.y), \($0.confidence)]" }.joined(separator: ", ")
                + "]"
        }
        file = Data(
            ("{\"keypoints\": \(list(pose.points)), \"hands\": [\(list(pose.leftHand)), "
                + "\(list(pose.rightHand))], \"face\": \(list(pose.face))}").utf8)
    }
}

extension Posed_V1_Pose {
    /// Says how the file is read, as far as it differs from what the daemon does unasked.
    mutating func setReading(_ reading: PoseReading) {
        if let person = reading.person { self.reading.person = person }
        switch reading.units {
        case .frame(.unit): self.reading.space = .normalized
        case .frame(.signed): self.reading.space = .normalizedSigned
        case .frame(let frame):
            self.reading.space = .pixels
            self.reading.canvasWidth = Int32(clamping: Int(frame.width))
            self.reading.canvasHeight = Int32(clamping: Int(frame.height))
        case .pixels: self.reading.space = .pixels
        case .unsaid: break
        }
        if reading.minConfidence != Keypoint.leastConfidence {
            self.reading.minConfidence = reading.minConfidence
        }
    }
}

extension Posed_V1_Keypoint {
    fileprivate init(_ joint: Keypoint) {
        self.init()
        (x, y) = (Float(joint.x), Float(joint.y))
        confidence = Float(joint.confidence)
    }
}
