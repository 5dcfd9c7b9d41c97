import Foundation
import PosedAccounts
import PosedErrors
import PosedProtos
import PosedRPC
import PosedServing
import PosedTesting
import PosedVision
import Testing

import PosedService

/// Hands, faces, readings and tracks in requests.
@Suite(.timeLimit(.minutes(10))) struct PoseTrackDomainTests {
    private func joints(_ count: Int) -> [Posed_V1_Keypoint] {
        Poses.keypoints(count: count).joints
    }

    @Test func handsAndFacesArrive() throws {
        var pose = Poses.keypoints()
        pose.leftHand = joints(21)
        pose.face = joints(478)
        let keypoints = try pose.keypoints(at: "keypoints")
        #expect(keypoints.leftHand.map(\.x) == (10..<31).map(Double.init))
        #expect(keypoints.rightHand.isEmpty)
        #expect(keypoints.face.count == 70 && keypoints.face[68].x == 478)
    }

    @Test func theirCountsAreChecked() {
        var pose = Poses.keypoints()
        pose.rightHand = joints(20)
        expectRefusal("keypoints.right_hand: expected 21 joints, or none, got 20") {
            try pose.keypoints(at: "keypoints")
        }
        pose.rightHand = []
        pose.face = joints(5)
        expectRefusal("keypoints.face: expected 68, 70, 468, 478 points, or none, got 5") {
            try pose.keypoints(at: "keypoints")
        }
    }

    @Test func coordinatesMayBeSigned() throws {
        var pose = Poses.keypoints()
        pose.space = .normalizedSigned
        #expect(try pose.keypoints(at: "keypoints").units == .frame(.signed))
    }

    private func file(_ change: (inout Posed_V1_PoseReading) -> Void) throws -> PoseInput {
        func person(_ x: Int) -> String {
            let joints = (0..<18).map { "\(x + $0), \(5 + $0), \($0 == 3 ? 0.3 : 0.9)" }
            return "{\"pose_keypoints_2d\": [\(joints.joined(separator: ", "))]}"
        }
        var pose = Posed_V1_Pose()
        pose.file = Data("{\"people\": [\(person(3)), \(person(20))]}".utf8)
        change(&pose.reading)
        return try pose.pose(at: "pose", maxSide: 64)
    }

    @Test func readingsSayWhatAFileDoesNot() throws {
        guard
            case .keypoints(let pose) = try file({
                $0.person = "2"
                $0.space = .pixels
                $0.canvasWidth = 100
                $0.canvasHeight = 50
                $0.minConfidence = 0.5
            })
        else {
            Issue.record("no keypoints")
            return
        }
        #expect(pose.points[0] == Keypoint(x: 20, y: 5, confidence: 0.9))
        #expect(pose.points[3] == .absent)
        #expect(pose.units == .canvas(width: 100, height: 50))
    }

    @Test func readingsAreBounded() throws {
        expectRefusal("pose.reading.min_confidence: expected a number from 0 to 1, got 2.0") {
            try file { $0.minConfidence = 2 }
        }
        expectRefusal(
            "pose.reading.canvas_width: expected no canvas without COORDINATE_SPACE_PIXELS, got 9"
        ) {
            try file {
                $0.canvasWidth = 9
                $0.canvasHeight = 9
            }
        }
        expectRefusal("pose.file: the pose: person 3 was expected, but is not there") {
            try file { $0.person = "3" }
        }
        var pose = Posed_V1_Pose()
        pose.keypoints = Poses.keypoints()
        pose.reading.person = "1"
        expectRefusal("pose.reading: expected nothing without `file`, got it") {
            try pose.pose(at: "pose", maxSide: 64)
        }
    }

    @Test func aBinaryFileIsAPoseToo() throws {
        struct Case: Decodable { let file: Data }
        let cases = try PictureGoldens.load("pose-files.json", as: [Case].self)
        var pose = Posed_V1_Pose()
        pose.file = try #require(cases.first).file
        expectRefusal("pose.file: the pose: one pose was expected, the file has 3 frames") {
            try pose.pose(at: "pose", maxSide: 64)
        }
    }

    @Test func aStreamFitsItsPosesToTheSource() async throws {
        let conversation = try await Conversation()
        conversation.start {
            $0.retargetTo.keypoints = Poses.keypoints(from: 30)
            $0.smoothing.minCutoff = 1
        }
        conversation.pose(1)
        conversation.finish()
        try await conversation.serve()
        let options = try #require(conversation.serving.stream).options
        #expect(options.retargetTo?.points[0] == Keypoint(x: 30, y: 30))
        #expect(options.smoother != nil)
    }

    @Test func aPictureFitsItsPoseToTheSource() async throws {
        let serving = FakeServing()
        let account = Accounts().account(of: .identity("ada"))
        let service = SynthesisService(
            serving: serving, codec: PictureCodec(workers: Workers(threads: 1)), drain: Drain())
        var request = Posed_V1_SynthesizeRequest()
        request.sources.images = [try Pictures.png()]
        request.pose = Poses.pose()
        request.retargetTo.file = Data(
            "[\((0..<18).map { "[\($0 + 2), 3]" }.joined(separator: ", "))]".utf8)
        let caller = PosedService.Caller(owner: "ada", account: account)
        _ = try await service.synthesize(request, caller)
        let asked = try #require(serving.with { $0.frames.last })
        #expect(asked.retargetTo?.points[4] == Keypoint(x: 6, y: 3))
        request.retargetTo.picture = try Pictures.png()
        let error = await #expect(throws: RequestError.self) {
            try await service.synthesize(request, caller)
        }
        #expect(error?.description == "retarget_to: expected a pose with joints, got a picture")
    }

    @Test func whatAStreamCannotFitToIsRefused() async throws {
        func refused(_ start: (inout Posed_V1_StreamStart) -> Void, _ sentence: String) async throws
        {
            let conversation = try await Conversation()
            conversation.start(start)
            conversation.finish()
            let error = await #expect(throws: RequestError.self) { try await conversation.serve() }
            #expect(error?.description.contains(sentence) == true, "\(String(describing: error))")
        }
        let picture = try Pictures.raw()
        try await refused({ $0.retargetTo.picture = picture }, "a pose with joints")
        for cutoff in [0, -1, 1001, Double.nan] {
            try await refused({ $0.smoothing.minCutoff = cutoff }, "start.smoothing.min_cutoff")
        }
        try await refused(
            {
                $0.smoothing.minCutoff = 1
                $0.smoothing.rate = 0
            }, "start.smoothing.rate")
    }
}
