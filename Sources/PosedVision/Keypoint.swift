/// One joint: where it is, and how sure its detector was.
package struct Keypoint: Hashable, Sendable {
    /// To the right, in the units of the pose's frame.
    package var x: Double
    /// Downwards, in the units of the pose's frame.
    package var y: Double
    /// The detector's confidence; some write up to 2.
    package var confidence: Double

    /// Joints below this confidence are absent.
    package static let leastConfidence = 0.05

    /// A joint that is nowhere.
    package static let absent = Keypoint(x: -1, y: -1, confidence: 0)

    /// A joint; certain unless told otherwise.
    package init(x: Double, y: Double, confidence: Double = 1) {
        self.x = x
        self.y = y
        self.confidence = confidence
    }

    /// Whether the joint counts: confident enough, and neither coordinate negative.
    package var isPresent: Bool {
        confidence >= Keypoint.leastConfidence && x >= 0 && y >= 0
    }
}
