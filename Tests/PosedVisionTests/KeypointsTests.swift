import Foundation
import PosedVision
import Testing

@Suite struct KeypointsTests {
    /// Joint i at (i + 2, 2 i + 3).
    static let points = (0..<18).map { Keypoint(x: Double($0) + 2, y: Double(2 * $0) + 3) }

    @Test func presenceTakesConfidenceAndPosition() {
        #expect(Keypoint(x: 0, y: 0, confidence: 0.05).isPresent)
        #expect(!Keypoint(x: 0, y: 0, confidence: 0.0499).isPresent)
        #expect(!Keypoint(x: -0.1, y: 5).isPresent)
        #expect(!Keypoint(x: 5, y: -0.1).isPresent)
    }

    @Test func pixelsStayAndNormalizedScale() throws {
        let pixels = try Keypoints(Self.points)
        #expect(try pixels.placed(width: 64, height: 64) == Self.points)
        let unit = try Keypoints(Self.points.map { Keypoint(x: $0.x / 64, y: $0.y / 64) })
        #expect(unit.frame == .unit)
        let placed = try unit.placed(width: 128, height: 64)
        #expect(placed[3] == Keypoint(x: 10, y: 9))
    }

    @Test func absentJointsDoNotDecideTheUnits() throws {
        var points = [Keypoint](repeating: .absent, count: 18)
        points[0] = Keypoint(x: 0.5, y: 1)
        points[1] = Keypoint(x: 700, y: 700, confidence: 0)
        #expect(try Keypoints(points).frame == .unit)
        points[2] = Keypoint(x: 1.01, y: 1)
        #expect(try Keypoints(points).frame == nil)
    }

    @Test func aPoseOfAnotherPictureIsScaled() throws {
        let pose = try Keypoints(Self.points).measured(inWidth: 50, height: 100)
        let placed = try pose.placed(width: 100, height: 50)
        #expect(placed[1] == Keypoint(x: 6, y: 2.5))
    }

    @Test func countMustBeEighteen() {
        let message = expectError(.incompletePose) {
            _ = try Keypoints(Array(Self.points.prefix(17)))
        }
        #expect(message.contains("18") && message.contains("17"))
    }

    @Test func someJointMustBePresent() {
        expectError(.emptyPose) {
            _ = try Keypoints(Array(repeating: .absent, count: 18))
        }
        expectError(.emptyPose) {  // all in the margin that the frame cuts off
            _ = try Keypoints(
                Array(repeating: Keypoint(x: 30, y: 50), count: 18), frame: .deepFashion
            ).placed(width: 64, height: 64)
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func numbersMustBeFinite(value: Double) {
        for part in 0..<3 {
            var points = Self.points
            if part == 0 { points[4].x = value }
            if part == 1 { points[4].y = value }
            if part == 2 { points[4].confidence = value }
            let message = expectError(.nonFinitePose) { _ = try Keypoints(points) }
            #expect(message.contains("joint 5"))
        }
    }

    @Test func farOutsideThePictureIsAnError() throws {
        var points = Self.points
        points[6] = Keypoint(x: 120, y: 10)
        let pose = try Keypoints(points)
        #expect(try pose.placed(width: 60, height: 64)[6].x == 120)
        let message = expectError(.poseOutsidePicture) {
            _ = try pose.placed(width: 59, height: 64)
        }
        #expect(message.contains("joint 7"))
        points[6].confidence = 0
        #expect(try Keypoints(points).placed(width: 59, height: 64)[6] == .absent)
    }
}
