import ArgumentParser
import Foundation
import PosedProtos
package import PosedVision

/// How pose files are read.
struct PoseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The picture that poses are measured in, whatever their files say: its size, normalized (0 to 1) or "
                + "normalized-signed (-1 to 1).", valueName: "WxH"),
        transform: KeypointUnits.parsed)
    var poseSize: KeypointUnits?

    @Option(
        help: ArgumentHelp(
            "The person in files with several, counted from 1; without it the most certain and largest.",
            valueName: "n"))
    var person: String?

    @Option(
        help: ArgumentHelp(
            "Joints less certain than this are absent; 0.05 without it.", valueName: "c"))
    var minConfidence: Double?

    func validate() throws {
        if let minConfidence, !(minConfidence >= 0 && minConfidence <= 1) {
            throw ValidationError("--min-confidence takes 0 to 1, not \(minConfidence)")
        }
    }

    /// What the options say.
    var reading: PoseReading {
        PoseReading(
            person: person, units: poseSize ?? .unsaid,
            minConfidence: minConfidence ?? Keypoint.leastConfidence)
    }
}

/// What is done to the poses of a stream before they are drawn.
struct TrackOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Fit the poses to the person of the source, whose pose in the source picture this is.",
            valueName: "file"),
        completion: .file())
    var retarget: String?

    @Option(
        help: ArgumentHelp(
            "Calm joints that tremble: the cutoff at rest in hertz, such as 1; less is calmer.",
            valueName: "hz"))
    var smooth: Double?

    func validate() throws {
        if let smooth, !(smooth > 0 && smooth <= 1000) {
            throw ValidationError(
                "--smooth takes more than 0 and at most 1000 hertz, not \(smooth)")
        }
    }

    /// Writes the options into a stream's start; `rate` is in poses a second. Throws what a pose file throws.
    func set(_ start: inout Posed_V1_StreamStart, rate: Double?) throws {
        if let retarget { start.retargetTo = try InputFile.pose(retarget) }
        guard let smooth else { return }
        start.smoothing.minCutoff = smooth
        if let rate { start.smoothing.rate = rate }
    }
}

extension KeypointUnits {
    /// The units that an option names. Throws `ValidationError`, which says what is expected.
    @Sendable static func parsed(_ text: String) throws -> KeypointUnits {
        guard let units = KeypointUnits(named: text) else {
            throw ValidationError(
                "expected a size such as 1920x1080, normalized or normalized-signed")
        }
        return units
    }
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
