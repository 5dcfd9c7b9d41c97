/// One joint: where it is, and how sure its detector was.
package struct Keypoint: Hashable, Sendable {
    /// To the right, in the units of the pose.
    package var x: Double
    /// Downwards, in the units of the pose.
    package var y: Double
    /// The detector's confidence; some write up to 2.
    package var confidence: Double

    /// Joints below this confidence are absent.
    package static let leastConfidence = 0.05

    /// A joint that is nowhere.
    package static let absent = Keypoint(x: -1, y: -1, confidence: 0)

    /// A joint.
    ///
    /// - Parameter confidence: nil in a format that tells none: the joint is certain, or absent where it is at
    ///   exactly (0, 0).
    package init(x: Double, y: Double, confidence: Double? = nil) {
        self.x = x
        self.y = y
        self.confidence = confidence ?? (x == 0 && y == 0 ? 0 : 1)
    }

    /// Whether the joint is somewhere: confident enough, and not at exactly (−1, −1). Any other place is a
    /// place, inside the picture or out of it.
    package var isPresent: Bool {
        confidence >= Keypoint.leastConfidence && !(x == -1 && y == -1)
    }

    /// The joint, or none where it is less certain than that.
    func atLeast(_ confidence: Double) -> Keypoint {
        self.confidence >= confidence ? self : .absent
    }

    /// The place halfway to another joint, as certain as the less certain of both; absent unless both are
    /// there.
    func middle(to other: Keypoint) -> Keypoint {
        guard isPresent, other.isPresent else { return .absent }
        return Keypoint(
            x: (x + other.x) / 2, y: (y + other.y) / 2,
            confidence: min(confidence, other.confidence))
    }
}

/// The rectangle that a pose's coordinates are measured in, and that stands for the whole picture.
package struct KeypointFrame: Hashable, Sendable {
    /// The coordinate of the picture's left edge.
    package let left: Double
    /// The coordinate of the picture's top edge.
    package let top: Double
    /// How far it is from the left edge to the right.
    package let width: Double
    /// How far it is from the top edge to the bottom.
    package let height: Double

    /// A frame; nil unless all four are finite and both sides positive.
    package init?(left: Double = 0, top: Double = 0, width: Double, height: Double) {
        guard [left, top, width, height].allSatisfy(\.isFinite), width > 0, height > 0 else {
            return nil
        }
        self.init(checkedLeft: left, top: top, width: width, height: height)
    }

    private init(checkedLeft left: Double, top: Double, width: Double, height: Double) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    /// Coordinates normalized to [0, 1].
    package static let unit = KeypointFrame(checkedLeft: 0, top: 0, width: 1, height: 1)

    /// Coordinates normalized to [−1, 1], as OpenPose writes them with `--keypoint_scale 4`.
    package static let signed = KeypointFrame(checkedLeft: -1, top: -1, width: 2, height: 2)

    /// DeepFashion's 256 × 256 pictures with their margins of 40 columns cut off: the frame of the
    /// pose text files that PIDM and X-MDPT read.
    package static let deepFashion = KeypointFrame(
        checkedLeft: 40, top: 0, width: 176, height: 256)

    /// DeepFashion's pictures already cut to 176 × 256: the frame of annotation lines.
    package static let deepFashionCut = KeypointFrame(
        checkedLeft: 0, top: 0, width: 176, height: 256)
}

/// What a pose's coordinates are measured in.
package enum KeypointUnits: Hashable, Sendable {
    /// Nobody said. Normalized to [0, 1] where no joint lies beyond ±2, else pixels of the canvas that the file
    /// names, else pixels of the picture that is made, which the pose must fit.
    case unsaid
    /// Pixels of the picture that is made.
    case pixels
    /// A rectangle that stands for the whole picture.
    case frame(KeypointFrame)

    /// Pixels of a picture of that size; nil unless both sides are positive.
    package static func canvas(width: Double, height: Double) -> KeypointUnits? {
        KeypointFrame(width: width, height: height).map(KeypointUnits.frame)
    }
}

extension KeypointUnits {
    /// How far normalized coordinates may lie outside the picture and still be taken for normalized ones.
    private static let normalizedReach = 2.0

    /// Decides what joints are measured in where nobody said.
    ///
    /// - Parameter joints: those that are present.
    /// - Parameter canvas: the frame that the file names, if any.
    /// - Returns: `frame`, or `unsaid` for pixels of the picture that is made.
    /// - Throws: `VisionError` `.unclearUnits` for small coordinates half of which are negative.
    func decided(for joints: [Keypoint], canvas: KeypointFrame?) throws -> KeypointUnits {
        guard self == .unsaid else { return self }
        let reach = KeypointUnits.normalizedReach
        guard joints.allSatisfy({ abs($0.x) <= reach && abs($0.y) <= reach }) else {
            return canvas.map(KeypointUnits.frame) ?? .unsaid
        }
        let negative = joints.count { $0.x < 0 || $0.y < 0 }
        guard 2 * negative <= joints.count else {
            throw VisionError(
                .unclearUnits,
                "coordinates from 0 to 1 were expected, but \(negative) of \(joints.count) joints have "
                    + "negative ones; say `normalized` or `normalized-signed` (−1 to 1) for the size of the "
                    + "pose (--pose-size)")
        }
        return .frame(.unit)
    }
}
