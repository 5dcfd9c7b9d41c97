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

    /// DeepFashion's 256 × 256 pictures with their margins of 40 columns cut off: the frame of the
    /// pose text files that PIDM and X-MDPT read.
    package static let deepFashion = KeypointFrame(
        checkedLeft: 40, top: 0, width: 176, height: 256)

    /// DeepFashion's pictures already cut to 176 × 256: the frame of annotation lines.
    package static let deepFashionCut = KeypointFrame(
        checkedLeft: 0, top: 0, width: 176, height: 256)
}
