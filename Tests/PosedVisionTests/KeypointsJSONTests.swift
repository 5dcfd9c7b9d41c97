import Foundation
import PosedVision
import Testing

@Suite struct KeypointsJSONTests {
    private func parse(_ json: String) throws -> Keypoints {
        try Keypoints(json: Data(json.utf8), name: "p.json")
    }

    /// Joint i at (10 + i, 20 + i), confidence i / 100 + 0.5.
    private func flat(_ count: Int) -> String {
        "["
            + (0..<count).map { "\(10 + $0), \(20 + $0), \(Double($0) / 100 + 0.5)" }
            .joined(separator: ", ") + "]"
    }

    private func openPose(_ count: Int, _ more: String = "") -> String {
        """
        {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": \(flat(count)),
         "hand_left_keypoints_2d": []}, {"pose_keypoints_2d": []}]\(more)}
        """
    }

    @Test func readsOpenPoseOf18() throws {
        let pose = try parse(openPose(18))
        #expect(pose.points.map(\.x) == (10..<28).map(Double.init))
        #expect(pose.points.map(\.y) == (20..<38).map(Double.init))
        #expect(pose.points[0].confidence == 0.5)
        #expect(pose.frame == nil)
    }

    @Test func readsOpenPoseOf25() throws {
        let pose = try parse(openPose(25))
        let order = Array(0...7) + Array(9...14) + Array(15...18)
        #expect(pose.points.map(\.x) == order.map { Double(10 + $0) })
    }

    @Test func aCanvasIsTheFrame() throws {
        let pose = try parse(openPose(18, #", "canvas_width": 200, "canvas_height": 100"#))
        #expect(
            try pose.placed(width: 100, height: 100)[0] == Keypoint(x: 5, y: 20, confidence: 0.5))
    }

    @Test func readsListsWithGaps() throws {
        var joints = (0..<18).map { "[\($0 + 5), \($0 + 6), 0.9]" }
        joints[1] = "[6, 7]"
        joints[2] = "null"
        joints[3] = "[null, null, 0]"
        joints[4] = "[9, 10, null]"
        let list = "[" + joints.joined(separator: ",") + "]"
        for json in [list, "{\"keypoints\": \(list)}"] {
            let pose = try parse(json)
            #expect(pose.points[0] == Keypoint(x: 5, y: 6, confidence: 0.9))
            #expect(pose.points[1] == Keypoint(x: 6, y: 7, confidence: 1))
            #expect(pose.points[2] == .absent && pose.points[3] == .absent)
            #expect(pose.points[4] == Keypoint(x: 9, y: 10, confidence: 1))
        }
    }

    @Test func readsAFlatListAndOneInsideADocument() throws {
        struct Line: Decodable { let keypoints: Keypoints }
        let list = flat(18)
        let pose = try parse(list)
        #expect(pose.points[17].x == 27)
        let line = try JSONDecoder().decode(Line.self, from: Data("{\"keypoints\": \(list)}".utf8))
        #expect(line.keypoints == pose)
    }

    @Test(arguments: [
        ("", VisionError.Code.malformedPose), ("{", .malformedPose), ("7", .malformedPose),
        ("{}", .malformedPose), ("[1, 2, 3]", .malformedPose), ("[]", .incompletePose),
        ("[[1, 2, 3]]", .incompletePose), ("[[1]]", .malformedPose),
        (#"[["a", 2, 3]]"#, .malformedPose), (#"{"people": []}"#, .emptyPose),
        (#"{"people": [{}]}"#, .malformedPose),
        (#"{"people": [{"pose_keypoints_2d": [1, 2, 1]}]}"#, .incompletePose),
        (#"{"people": [{"pose_keypoints_2d": [1, 2]}]}"#, .incompletePose),
        (#"{"people": 3}"#, .emptyPose),
    ])
    func malformedPosesAreNamed(json: String, code: VisionError.Code) {
        let message = expectError(code, "\(json)") { _ = try parse(json) }
        #expect(message.hasPrefix("p.json: "))
    }

    @Test func allAbsentNaNAndDeepNesting() {
        let zeros = "[" + Array(repeating: "[0, 0, 0]", count: 18).joined(separator: ",") + "]"
        expectError(.emptyPose) { _ = try parse(zeros) }
        expectError(.nonFinitePose) {
            _ = try parse(zeros.replacingOccurrences(of: "[0, 0, 0]", with: "[NaN, 3, 1]"))
        }
        let deep = String(repeating: "[", count: 100_000)
        expectError(.malformedPose) { _ = try parse(deep) }
    }
}
