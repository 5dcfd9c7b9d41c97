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

    @Test(arguments: [0, 1, 17, 19, 24, 26, 1000])
    func otherCountsAreRefused(count: Int) {
        expectRefusal("pose.keypoints.joints: expected 18 joints or 25, got \(count)") {
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

    @Test func pixelsMayHaveACanvas() throws {
        var pose = Poses.keypoints()
        pose.canvasWidth = 640
        pose.canvasHeight = 480
        #expect(
            try pose.keypoints(at: "keypoints").frame == KeypointFrame(width: 640, height: 480))
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

    @Test func smallNumbersAreSharesUnlessTheyAreSaidToBePixels() throws {
        var pose = Poses.keypoints()
        for index in pose.joints.indices {
            pose.joints[index].x = 0.5
            pose.joints[index].y = 0.25
        }
        pose.space = .normalized
        #expect(try pose.keypoints(at: "keypoints").frame == .unit)
        pose.canvasWidth = 640
        pose.canvasHeight = 480
        expectRefusal(
            "keypoints.canvas_width: expected no canvas of normalized coordinates, got 640"
        ) { try pose.keypoints(at: "keypoints") }
        pose.space = .pixels
        #expect(try pose.keypoints(at: "keypoints").frame == KeypointFrame(width: 640, height: 480))
        pose.clearCanvasWidth()
        pose.clearCanvasHeight()
        expectRefusal(
            "keypoints.joints: expected pixels, got no coordinate above 1; are they normalized?"
        ) { try pose.keypoints(at: "keypoints") }
    }

    @Test func sharesMayLieOutside() throws {
        var pose = Poses.keypoints(from: 0)
        pose.space = .normalized
        #expect(try pose.keypoints(at: "keypoints").frame == .unit)
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
