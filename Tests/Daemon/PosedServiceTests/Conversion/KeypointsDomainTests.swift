import PosedErrors
import PosedProtos
import PosedVision
import Testing

import PosedService

@Suite struct KeypointsDomainTests {
    @Test func twentyFiveJointsAreBroughtToEighteen() throws {
        let keypoints = try Poses.keypoints(count: 25).keypoints(at: "keypoints")
        #expect(keypoints.points.count == 18)
        // BODY_25 has the middle of the hips in ninth place.
        #expect(keypoints.points[7] == Keypoint(x: 17, y: 24))
        #expect(keypoints.points[8] == Keypoint(x: 19, y: 28))
    }

    @Test(arguments: [0, 1, 16, 19, 24, 27, 1000])
    func otherCountsAreRefused(count: Int) {
        expectRefusal(
            "pose.keypoints.joints: expected 17, 18, 25, 26, 33, 133, 136 joints, got \(count)"
        ) {
            try Poses.keypoints(count: count).keypoints(at: "pose.keypoints")
        }
    }

    @Test func confidenceIsCertainWhereItIsMissing() throws {
        var pose = Poses.keypoints()
        pose.joints[4].confidence = 0.25
        pose.joints[5].confidence = 0
        let points = try pose.keypoints(at: "keypoints").points
        #expect(points[3].confidence == 1)
        #expect(points[4].confidence == 0.25)
        #expect(!points[5].isPresent)
    }

    @Test func otherLayoutsAreBroughtToEighteenToo() throws {
        let coco = try Poses.keypoints(count: 17).keypoints(at: "keypoints")
        #expect(coco.points[2] == Keypoint(x: 16, y: 22) && coco.points[1].x == 15.5)
        let whole = try Poses.keypoints(count: 133).keypoints(at: "keypoints")
        #expect(whole.leftHand.count == 21 && whole.rightHand.count == 21 && whole.face.count == 70)
    }

    @Test func pixelsMayHaveACanvas() throws {
        var pose = Poses.keypoints()
        pose.canvasWidth = 640
        pose.canvasHeight = 480
        #expect(try pose.keypoints(at: "keypoints").units == .canvas(width: 640, height: 480))
    }

    /// A skeleton in the corner must not change its meaning.
    @Test func theSpaceIsRequired() {
        var pose = Poses.keypoints()
        pose.space = .unspecified
        expectRefusal(
            "keypoints.space: expected COORDINATE_SPACE_PIXELS or COORDINATE_SPACE_NORMALIZED, "
                + "got nothing"
        ) { try pose.keypoints(at: "keypoints") }
    }

    @Test func theSpaceDecidesAndNotTheNumbers() throws {
        var pose = Poses.keypoints()
        for index in pose.joints.indices {
            pose.joints[index].x = 0.5
            pose.joints[index].y = 0.25
        }
        pose.joints[3].y = 1.2
        pose.space = .normalized
        #expect(try pose.keypoints(at: "keypoints").units == .frame(.unit))
        pose.canvasWidth = 640
        pose.canvasHeight = 480
        expectRefusal(
            "keypoints.canvas_width: expected no canvas of normalized coordinates, got 640"
        ) { try pose.keypoints(at: "keypoints") }
        pose.space = .pixels
        #expect(try pose.keypoints(at: "keypoints").units == .canvas(width: 640, height: 480))
        pose.clearCanvasWidth()
        pose.clearCanvasHeight()
        #expect(try pose.keypoints(at: "keypoints").units == .pixels)
    }

    @Test func sharesMayLieOutside() throws {
        var pose = Poses.keypoints(from: 0)
        pose.space = .normalized
        #expect(try pose.keypoints(at: "keypoints").units == .frame(.unit))
    }

    @Test func aJointInTheCornerWithoutConfidenceIsNone() throws {
        var pose = Poses.keypoints()
        pose.joints[3] = Posed_V1_Keypoint()
        #expect(try !pose.keypoints(at: "keypoints").points[3].isPresent)
        pose.joints[3].confidence = 1
        #expect(try pose.keypoints(at: "keypoints").points[3].isPresent)
    }

    @Test func canvasesAreBounded() {
        var pose = Poses.keypoints()
        pose.canvasWidth = 640
        expectRefusal("keypoints.canvas_height: expected a number from 1 to 65536, got 0") {
            try pose.keypoints(at: "keypoints")
        }
        pose.canvasHeight = -1
        expectRefusal("keypoints.canvas_height: expected a number from 1 to 65536, got -1") {
            try pose.keypoints(at: "keypoints")
        }
    }

    @Test func unknownSpacesAreRefused() {
        var pose = Poses.keypoints()
        pose.space = .UNRECOGNIZED(9)
        expectRefusal("keypoints.space: expected a known space, got 9") {
            try pose.keypoints(at: "keypoints")
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func numbersMustBeFinite(value: Float) {
        var pose = Poses.keypoints()
        pose.joints[6].y = value
        expectRefusal(
            "keypoints: joint 7 of the pose has a value that is not a finite number"
        ) { try pose.keypoints(at: "keypoints") }
    }

    @Test func somebodyMustBeThere() {
        var pose = Poses.keypoints()
        for index in pose.joints.indices { pose.joints[index].confidence = 0.01 }
        #expect(throws: RequestError.self) { try pose.keypoints(at: "keypoints") }
    }
}
