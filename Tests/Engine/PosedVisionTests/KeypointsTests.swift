import PosedVision
import Testing

@Suite struct KeypointsTests {
    /// Joint i at (i + 2, 2 i + 3).
    static let points = (0..<18).map { Keypoint(x: Double($0) + 2, y: Double(2 * $0) + 3) }

    @Test func absenceIsConfidenceAndTwoPlaces() {
        #expect(Keypoint(x: 0, y: 0, confidence: 0.05).isPresent)
        #expect(!Keypoint(x: 0, y: 0, confidence: 0.0499).isPresent)
        #expect(
            !Keypoint(x: -1, y: -1).isPresent && !Keypoint(x: -1, y: -1, confidence: 1).isPresent)
        #expect(!Keypoint(x: 0, y: 0).isPresent)  // (0, 0) without a confidence is no joint
        #expect(Keypoint(x: 0, y: 1).isPresent)
        #expect(Keypoint(x: -0.1, y: 5).isPresent && Keypoint(x: 5, y: -300).isPresent)
        #expect(Keypoint(x: -1, y: -1.5).isPresent)
    }

    @Test func pixelsStayAndNormalizedScale() throws {
        let pixels = try Keypoints(Self.points)
        #expect(pixels.units == .unsaid)
        #expect(try pixels.placed(width: 64, height: 64).points == Self.points)
        let unit = try Keypoints(Self.points.map { Keypoint(x: $0.x / 64, y: $0.y / 64) })
        #expect(unit.units == .frame(.unit))
        let placed = try unit.placed(width: 128, height: 64).points
        #expect(placed[3] == Keypoint(x: 10, y: 9))
    }

    @Test func aJointBeyondOneStaysNormalized() throws {
        var points = Self.points.map { Keypoint(x: $0.x / 64, y: $0.y / 64) }
        points[10].y = 1.02
        let canvas = KeypointFrame(width: 512, height: 512)
        for canvas in [canvas, nil] {
            let pose = try Keypoints(points, canvas: canvas)
            #expect(pose.units == .frame(.unit))
            #expect(try pose.placed(width: 100, height: 100).points[10].y == 102)
        }
        points[10].y = 2.01
        #expect(try Keypoints(points, canvas: canvas).units == .canvas(width: 512, height: 512))
        #expect(try Keypoints(points).units == .unsaid)
    }

    @Test func smallNegativeCoordinatesAreAsked() throws {
        var points = [Keypoint](repeating: .absent, count: 18)
        points[0] = Keypoint(x: 0.5, y: -0.5)
        let message = expectError(.unclearUnits) { _ = try Keypoints(points) }
        #expect(message.contains("normalized-signed"))
        points[1] = Keypoint(x: 0.5, y: 0.5)
        #expect(try Keypoints(points).units == .frame(.unit))
        let signed = try Keypoints(points, units: .frame(.signed)).placed(width: 64, height: 32)
        #expect(signed.points[0] == Keypoint(x: 48, y: 8))
    }

    @Test func absentJointsDoNotDecideTheUnits() throws {
        var points = [Keypoint](repeating: .absent, count: 18)
        points[0] = Keypoint(x: 0.5, y: 1)
        points[1] = Keypoint(x: 700, y: 700, confidence: 0)
        #expect(try Keypoints(points).units == .frame(.unit))
    }

    @Test func aPoseOfAnotherPictureIsScaled() throws {
        let pose = try Keypoints(Self.points).measured(inWidth: 50, height: 100)
        let placed = try pose.placed(width: 100, height: 50).points
        #expect(placed[1] == Keypoint(x: 6, y: 2.5))
    }

    @Test func countsAreChecked() throws {
        let message = expectError(.incompletePose) {
            _ = try Keypoints(Array(Self.points.prefix(17)))
        }
        #expect(message.contains("18") && message.contains("17"))
        let hand = Self.points + Self.points.prefix(3)
        #expect(try Keypoints(Self.points, leftHand: hand).leftHand.count == 21)
        expectError(.incompletePose) { _ = try Keypoints(Self.points, rightHand: Self.points) }
        expectError(.incompletePose) { _ = try Keypoints(Self.points, face: hand) }
    }

    @Test func someJointMustBePresentAndInThePicture() {
        expectError(.emptyPose) {
            _ = try Keypoints(Array(repeating: .absent, count: 18))
        }
        expectError(.emptyPose) {  // all in the margin that the frame cuts off
            _ = try Keypoints(
                Array(repeating: Keypoint(x: 30, y: 50), count: 18), units: .frame(.deepFashion)
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
            let hand = points + points.prefix(3)
            expectError(.nonFinitePose) { _ = try Keypoints(Self.points, leftHand: hand) }
        }
    }

    @Test func whatNobodySaidMustFitThePicture() throws {
        for (x, y) in [(81.0, 10.0), (-17, 10), (10, 81), (10, -17)] {
            var points = Self.points
            points[6] = Keypoint(x: x, y: y)
            let message = expectError(.poseOutsidePicture) {
                _ = try Keypoints(points).placed(width: 64, height: 64)
            }
            #expect(message.contains("joint 7") && message.contains("--pose-size"))
            // Where it was said, any place is a place, on all four sides alike.
            let said = try Keypoints(points, units: .pixels).placed(width: 64, height: 64)
            #expect(said.points[6] == points[6])
            points[6].confidence = 0
            #expect(
                try Keypoints(points).placed(width: 64, height: 64).points[6] == .absent)
        }
        var points = Self.points
        points[6].x = 1e300
        expectError(.poseOutsidePicture) {
            _ = try Keypoints(points, units: .pixels).placed(width: 64, height: 64)
        }
    }

    @Test func certaintyIsChosen() throws {
        var points = Self.points
        points[3].confidence = 0.4
        #expect(try Keypoints(points).atLeast(0.5).points[3] == .absent)
        #expect(try Keypoints(points).atLeast(0.4).points == points)
        expectError(.emptyPose) { _ = try Keypoints(points).atLeast(1.5) }
    }
}
