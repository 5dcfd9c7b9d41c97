import Foundation
import PosedVision
import Testing

@Suite struct PoseRetargeterTests {
    private let units = KeypointUnits.canvas(width: 400, height: 400) ?? .pixels

    private func person(
        scale: Double = 1, right: Double = 0, down: Double = 0,
        _ change: (inout [Keypoint]) -> Void = { _ in }
    ) throws -> Keypoints {
        var points = APerson.joints.map {
            Keypoint(x: $0.x * scale + right, y: $0.y * scale + down, confidence: 0.9)
        }
        change(&points)
        let hand = (0..<21).map {
            Keypoint(x: points[7].x + Double($0) * scale, y: points[7].y, confidence: 0.9)
        }
        return try Keypoints(points, leftHand: hand, units: units)
    }

    /// A retargeter to a person in a picture of 400 × 400.
    private func retargeter(_ source: Keypoints) throws -> PoseRetargeter {
        try PoseRetargeter(source: source, width: 400, height: 400)
    }

    private func length(_ pose: Keypoints, _ a: Int, _ b: Int) -> Double {
        hypot(pose.points[a].x - pose.points[b].x, pose.points[a].y - pose.points[b].y)
    }

    private func expectSame(_ found: Keypoints, _ expected: Keypoints) {
        for (a, b) in zip(
            found.points + found.leftHand, expected.points + expected.leftHand)
        {
            #expect(abs(a.x - b.x) < 1e-9 && abs(a.y - b.y) < 1e-9 && a.isPresent == b.isPresent)
        }
    }

    @Test func theSourceItselfComesOutOfAnotherSizeAndPlace() throws {
        let source = try person()
        var fitter = try retargeter(source)
        expectSame(try fitter.next(try person(scale: 0.4, right: 200, down: 37)), source)
        // Later movement is scaled as the body is.
        let moved = try fitter.next(try person(scale: 0.4, right: 220, down: 37))
        expectSame(moved, try person(right: 50))
    }

    @Test func limbsHaveTheSourcesLengthsAndTheTracksDirections() throws {
        // A source with long legs and a track of a person with long arms.
        let source = try person { points in
            for joint in [10, 13] { points[joint].y += 20 }
        }
        let driver = try person(scale: 0.5) { points in
            for joint in [4, 7] { points[joint].y += 5 }
        }
        var fitter = try retargeter(source)
        var fitted = try fitter.next(driver)
        for limb in PoseSkeleton.limbs {
            let expected = length(source, limb.from, limb.to)
            #expect(abs(length(fitted, limb.from, limb.to) - expected) < 1e-9)
        }
        // The arm is raised: the same length in the new direction.
        let raised = try person(scale: 0.5) { points in
            for joint in [4, 7] { points[joint].y += 5 }
            points[4] = Keypoint(x: points[3].x - 10, y: points[3].y - 10)
        }
        fitted = try fitter.next(raised)
        let (elbow, wrist) = (fitted.points[3], fitted.points[4])
        #expect(abs((wrist.x - elbow.x) - (wrist.y - elbow.y)) < 1e-9 && wrist.y < elbow.y)
    }

    @Test func aShortenedLimbDoesNotBlowUp() throws {
        let source = try person()
        var fitter = try retargeter(source)
        // Both forearms point at the camera in the first pose.
        _ = try fitter.next(
            try person { points in
                points[4] = Keypoint(x: points[3].x + 1, y: points[3].y)
                points[7] = Keypoint(x: points[6].x + 1, y: points[6].y)
            })
        let later = try fitter.next(source)
        #expect(abs(length(later, 3, 4) / length(source, 3, 4) - 1.5) < 1e-9)
    }

    @Test func absentJointsStayAbsentAndBreakNothing() throws {
        let source = try person()
        var fitter = try retargeter(source)
        _ = try fitter.next(source)
        let gaps = try person { points in
            for joint in [1, 3, 9] { points[joint] = .absent }
        }
        expectSame(try fitter.next(gaps), gaps)
    }

    @Test func whatCannotBeMeasuredIsRefused() throws {
        let neckless = try person { $0[1] = .absent }
        expectError(.incompletePose) { _ = try retargeter(neckless) }
        var fitter = try retargeter(person())
        expectError(.incompletePose) { _ = try fitter.next(neckless) }
        expectSame(try fitter.next(try person(scale: 2)), try person())
        // Without hips it is the shoulders.
        let half = try person { points in (8...13).forEach { points[$0] = .absent } }
        var other = try retargeter(half)
        expectSame(
            try other.next(
                try person(scale: 3) { points in (8...13).forEach { points[$0] = .absent } }), half)
    }

    @Test func posesAreFittedInPixelsOfTheSourcePicture() throws {
        let joints = APerson.joints.map { Keypoint(x: $0.x / 256, y: $0.y / 256) }
        let unit = try Keypoints(joints, units: .frame(.unit))
        // The person stands in the left half of a picture that is twice as wide as high.
        let source = try Keypoints(
            joints.map { Keypoint(x: $0.x / 2, y: $0.y) }, units: .frame(.unit))
        var wide = try PoseRetargeter(source: source, width: 1024, height: 512)
        let fitted = try wide.next(unit)
        #expect(fitted.units == .pixels)
        for (point, joint) in zip(fitted.points, joints) {
            #expect(abs(point.x - joint.x * 512) < 1e-9 && abs(point.y - joint.y * 512) < 1e-9)
        }
        // What a crop of that half shows is where the person is in it.
        let seen = fitted.seen(in: PictureBox(x: 128, y: 0, width: 256, height: 512))
        let placed = try seen.placed(width: 64, height: 128)
        #expect(abs(placed.points[1].x - (joints[1].x * 512 - 128) / 4) < 1e-9)
        #expect(abs(placed.points[1].y - joints[1].y * 128) < 1e-9)
    }

    @Test func aSourceThatDoesNotFitItsPictureIsRefused() throws {
        let source = try Keypoints(APerson.joints.map { Keypoint(x: $0.x, y: $0.y) })
        expectError(.poseOutsidePicture) {
            _ = try PoseRetargeter(source: source, width: 100, height: 100)
        }
    }
}

@Suite struct PoseSmootherTests {
    private func pose(_ x: Double, _ change: (inout [Keypoint]) -> Void = { _ in }) throws
        -> Keypoints
    {
        var points = APerson.joints.map { Keypoint(x: $0.x + x, y: $0.y, confidence: 0.9) }
        change(&points)
        return try Keypoints(points, units: .pixels)
    }

    @Test func whatRestsStaysAndWhatTremblesCalmsDown() throws {
        var smoother = PoseSmoother(minCutoff: 1, rate: 25)
        for _ in 0..<50 { let still = try pose(0); #expect(smoother.next(still) == still) }
        var largest = 0.0
        for frame in 0..<100 {
            let found = smoother.next(try pose(frame % 2 == 0 ? 1 : -1))
            if frame > 10 { largest = max(largest, abs(found.points[0].x - 128)) }
        }
        #expect(largest > 0 && largest < 0.35)
    }

    @Test func whatMovesFastLagsLittle() throws {
        var fast = PoseSmoother(minCutoff: 1, rate: 25)
        var plain = PoseSmoother(minCutoff: 1, beta: 0, rate: 25)
        var lags = (0.0, 0.0)
        for frame in 0..<50 {
            let now = try pose(Double(frame) * 8)
            lags.0 = now.points[0].x - fast.next(now).points[0].x
            lags.1 = now.points[0].x - plain.next(now).points[0].x
        }
        #expect(lags.0 > 0 && lags.0 < 10 && lags.1 > 3 * lags.0)
    }

    @Test func aJointThatComesBackBeginsAnew() throws {
        var smoother = PoseSmoother(minCutoff: 0.1, rate: 25)
        _ = smoother.next(try pose(0))
        #expect(smoother.next(try pose(0) { $0[4] = .absent }).points[4] == .absent)
        let back = smoother.next(try pose(100))
        #expect(back.points[4].x == 192 && back.points[3].x < 190)
        // Another picture is another track.
        let canvas = try #require(KeypointUnits.canvas(width: 900, height: 900))
        let other = try Keypoints(pose(500).points, units: canvas)
        #expect(smoother.next(other) == other)
    }

    @Test func aTrackDoesBoth() throws {
        let source = try pose(10)
        var track = PoseTrack(
            retargeter: try PoseRetargeter(source: source, width: 400, height: 400),
            smoother: PoseSmoother(minCutoff: 1))
        #expect(try track.next(.keypoints(try pose(0))) == .keypoints(source))
        var none = PoseTrack()
        let picture = PoseInput.picture(try Image(width: 1, height: 1, bytes: [1, 2, 3]))
        #expect(try none.next(picture) == picture)
        expectError(.malformedPose) { _ = try track.next(picture) }
    }
}
