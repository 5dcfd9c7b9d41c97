import Foundation
import PosedVision
import Testing

@Suite struct PoseJSONTests {
    private let flat = APerson.flat()
    private let pairs = APerson.joints.map { [$0.x, $0.y] }
    private let coco = APerson.coco.map { [$0.x, $0.y] }
    /// As `coco`, with confidences.
    private let cocoFlat: [Double] = APerson.coco.flatMap { [$0.x, $0.y, 0.9] }

    private func parse(_ json: String) throws -> Keypoints {
        try Keypoints(file: Data(json.utf8), name: "p.json")
    }

    @Test func lists() throws {
        try expectPerson("\(flat)")
        try expectPerson("\(pairs)")
        try expectPerson("\(pairs.flatMap { $0 })")
        try expectPerson("\(APerson.joints.map { [$0.x, $0.y, 0.5] })")
        try expectPerson("{\"keypoints\": \(flat)}")
        try expectPerson("[\(pairs)]")
    }

    @Test func listsWithGaps() throws {
        var joints = (0..<18).map { "[\($0 + 5), \($0 + 6), 0.9]" }
        joints[1] = "[6, 7]"
        joints[2] = "null"
        joints[3] = "[null, null, 0]"
        joints[4] = "[9, 10, null]"
        joints[5] = "[0, 0]"
        joints[6] = "[0, 0, 0.9]"
        let list = "[" + joints.joined(separator: ",") + "]"
        for json in [list, "{\"keypoints\": \(list)}"] {
            let pose = try parse(json)
            #expect(pose.points[0] == Keypoint(x: 5, y: 6, confidence: 0.9))
            #expect(pose.points[1] == Keypoint(x: 6, y: 7, confidence: 1))
            #expect(pose.points[2...3].allSatisfy { $0 == .absent } && pose.points[5] == .absent)
            #expect(pose.points[4] == Keypoint(x: 9, y: 10, confidence: 1))
            #expect(pose.points[6].isPresent)
        }
    }

    /// (0, 0) without confidences is the same as with a confidence of 0.
    @Test func zeroIsNoJointWithoutConfidence() throws {
        let some = APerson.joints.enumerated().map {
            [4, 10].contains($0.offset) ? (x: 0.0, y: 0.0) : $0.element
        }
        let without = try parse("\(some.map { [$0.x, $0.y] })")
        let with = try parse("\(some.map { [$0.x, $0.y, $0.x == 0 ? 0.0 : 1.0] })")
        #expect(without == with && !without.points[4].isPresent)
    }

    @Test func openPoseOf25() throws {
        let joints = APerson.joints
        let middle = [(x: 128.0, y: 132.0)]
        let feet = [(x: Double, y: Double)](repeating: (1, 1), count: 6)
        let body = Array(joints[..<8]) + middle + Array(joints[8...]) + feet
        let numbers: [Double] = body.flatMap { [$0.x, $0.y, 1.0] }
        try expectPerson(APerson.openPose([numbers]))
    }

    @Test func comfyAndDWPoseWrapFrames() throws {
        let frame = APerson.openPose([flat], canvas: 256).dropLast()
        try expectPerson("[\(frame), \"animals\": []}]")
    }

    @Test func cocoHasItsNeckBetweenTheShoulders() throws {
        for json in [
            "\(cocoFlat)", "\(coco)", "{\"keypoints\": \(cocoFlat)}",
            "{\"annotations\": [{\"image_id\": 3, \"keypoints\": \(cocoFlat)}]}",
        ] {
            try expectPerson(json)
        }
        var one = coco
        one[5] = [0, 0]
        #expect(!(try parse("\(one)").points[1].isPresent))
    }

    @Test func mmpose() throws {
        let scores = [Double](repeating: 0.9, count: 17)
        let found =
            "{\"keypoints\": \(coco), \"keypoint_scores\": \(scores), \"bbox\": [[0, 0, 9, 9]]}"
        try expectPerson("[\(found)]")
        try expectPerson("{\"meta_info\": {}, \"instance_info\": [\(found)]}")
        try expectPerson("[{\"frame_id\": 0, \"instances\": [\(found)]}]")
        let eighteen = "{\"keypoints\": \(pairs), \"keypoint_scores\": \(scores + [0.9])}"
        try expectPerson("{\"meta_info\": {}, \"instance_info\": [\(eighteen)]}")
        let video =
            "{\"instance_info\": [{\"frame_id\": 1, \"instances\": [\(found)]}, "
            + "{\"frame_id\": 2, \"instances\": []}]}"
        let frames = try PoseSequence(Data(video.utf8), name: "").frames
        #expect(frames.count == 2 && frames[0] != nil && frames[1] == nil)
        let short = found.replacingOccurrences(of: "[0.9, ", with: "[")
        expectError(.malformedPose) { _ = try parse("[\(short)]") }
    }

    @Test func alphaPose() throws {
        let found =
            "{\"image_id\": \"1.jpg\", \"category_id\": 1, \"keypoints\": \(cocoFlat), \"score\": 2.1}"
        try expectPerson("[\(found)]")
        let next = found.replacingOccurrences(of: "1.jpg", with: "2.jpg")
        let frames = try PoseSequence(Data("[\(found), \(next), \(found)]".utf8), name: "").frames
        #expect(frames.count == 2)
        // Halpe's 26 and 136 begin as COCO does.
        let more = [Double](repeating: 1, count: 9 * 3)
        try expectPerson("[{\"image_id\": 1, \"keypoints\": \(cocoFlat + more)}]")
    }

    @Test func ultralytics() throws {
        let (x, y) = (APerson.coco.map(\.x), APerson.coco.map(\.y))
        let sure = [Double](repeating: 0.8, count: 17)
        for visible in ["", ", \"visible\": \(sure)", ", \"confidence\": \(sure)"] {
            try expectPerson(
                "[{\"name\": \"person\", \"class\": 0, \"keypoints\": {\"x\": \(x), \"y\": \(y)\(visible)}}]"
            )
        }
        expectError(.malformedPose) {
            _ = try parse("[{\"keypoints\": {\"x\": \(x), \"y\": [1]}}]")
        }
    }

    @Test func mediaPipe() throws {
        let landmarks = APerson.mediaPipe.map {
            "{\"x\": \($0.x), \"y\": \($0.y), \"z\": 0, \"visibility\": 0.9}"
        }.joined(separator: ",")
        for json in [
            "[\(landmarks)]", "[[\(landmarks)]]", "{\"landmark\": [\(landmarks)]}",
            "{\"landmarks\": [[\(landmarks)]], \"worldLandmarks\": []}",
            "{\"poseLandmarks\": [\(landmarks)]}",
            "{\"pose_landmarks\": {\"landmark\": [\(landmarks)]}}",
            "\(APerson.mediaPipe.map { [$0.x, $0.y, 0, 0.9] })",
        ] {
            try expectPerson(json)
        }
        // Landmarks are normalized however far they lie outside.
        let far = "[" + landmarks.replacingOccurrences(of: "\"y\": 0.85", with: "\"y\": 3.5") + "]"
        #expect(try parse(far).units == .frame(.unit))
    }

    @Test func holisticHandsAndFace() throws {
        func list(_ count: Int) -> String {
            (0..<count).map { "{\"x\": \(Double($0) / 1000), \"y\": 0.5, \"z\": 0}" }
                .joined(separator: ",")
        }
        let body = APerson.mediaPipe.map { "{\"x\": \($0.x), \"y\": \($0.y)}" }
            .joined(separator: ",")
        for (face, pupil) in [(468, 0.0905), (478, 0.468)] {
            let pose = try parse(
                "{\"poseLandmarks\": [\(body)], \"leftHandLandmarks\": [\(list(21))], "
                    + "\"rightHandLandmarks\": null, \"faceLandmarks\": [\(list(face))]}")
            #expect(pose.leftHand.map(\.x) == (0..<21).map { Double($0) / 1000 })
            #expect(pose.rightHand.isEmpty && pose.face.count == 70)
            #expect(pose.face[8].x == 0.152 && pose.face[30].x == 0.004)
            if face == 478 { #expect(pose.face[68].x == pupil && pose.face[69].x == 0.473) }
        }
    }

    @Test func wholeBodyHasHandsAndFace() throws {
        let rest = (17..<133).map { (x: Double($0), y: 200.0) }
        for scale in [1.0, 0.9] {
            let pose = try parse("\((APerson.coco + rest).map { [$0.x, $0.y, scale] })")
            #expect(pose.leftHand.map(\.x) == (91..<112).map(Double.init))
            #expect(pose.rightHand.map(\.x) == (112..<133).map(Double.init))
            #expect(pose.face.prefix(68).map(\.x) == (23..<91).map(Double.init))
            #expect(pose.face[68].x == 61.5 && pose.face[69].x == 67.5)
            #expect(pose.points[1] == Keypoint(x: 128, y: 64, confidence: scale))
        }
    }

    @Test func openPoseHandsAndFace() throws {
        func part(_ count: Int) -> [Double] { (0..<count).flatMap { [Double($0), 100, 0.9] } }
        let text =
            "{\"people\": [{\"pose_keypoints_2d\": \(flat), \"hand_left_keypoints_2d\": \(part(21)), "
            + "\"hand_right_keypoints_2d\": [], \"face_keypoints_2d\": \(part(70))}]}"
        let pose = try parse(text)
        #expect(pose.leftHand.count == 21 && pose.rightHand.isEmpty && pose.face[69].x == 69)
        let short = text.replacingOccurrences(of: "\(part(21))", with: "\(part(20))")
        expectError(.incompletePose) { _ = try parse(short) }
    }

    @Test func oursInsideADocument() throws {
        struct Line: Decodable {
            let pose: Keypoints
            init(from decoder: any Decoder) throws { pose = try Keypoints(from: decoder) }
        }
        let hand = (0..<21).map { [Double($0), 9, 1] }
        let json = "{\"source\": \"a.png\", \"keypoints\": \(pairs), \"hands\": [\(hand), null]}"
        let line = try JSONDecoder().decode(Line.self, from: Data(json.utf8))
        #expect(line.pose.leftHand.count == 21 && line.pose.rightHand.isEmpty)
        #expect(line.pose.points[0] == Keypoint(x: 128, y: 40))
    }

    @Test(arguments: [
        ("", VisionError.Code.malformedPose), ("{", .malformedPose), ("7", .malformedPose),
        ("{}", .malformedPose), ("[1, 2, 3]", .incompletePose), ("[]", .incompletePose),
        ("[[1, 2, 3]]", .incompletePose), ("[[1]]", .malformedPose), ("[true]", .malformedPose),
        (#"[["a", 2, 3]]"#, .malformedPose), (#"{"people": []}"#, .emptyPose),
        (#"{"people": [{}]}"#, .malformedPose), (#"{"people": [3]}"#, .malformedPose),
        (#"{"people": [{"pose_keypoints_2d": [1, 2, 1]}]}"#, .incompletePose),
        (#"{"people": [{"pose_keypoints_2d": [1, 2]}]}"#, .incompletePose),
        (#"{"people": [{"pose_keypoints_2d": "1"}]}"#, .malformedPose),
        (#"{"people": [{"pose_keypoints_2d": null}]}"#, .emptyPose),
        (#"{"people": 3}"#, .malformedPose), (#"{"people": {"0": {}}}"#, .malformedPose),
        (#"{"keypoints": "none"}"#, .malformedPose), (#"{"pose_landmarks": 4}"#, .malformedPose),
        (#"{"pose_landmarks": null}"#, .emptyPose), (#"{"instance_info": []}"#, .emptyPose),
        (#"[{"image_id": 1}, {"keypoints": []}]"#, .malformedPose),
        ("{'people': [{'pose_keypoints_2d': []}]}", .malformedPose),
    ])
    func malformedPosesAreNamed(json: String, code: VisionError.Code) {
        let message = expectError(code, "\(json)") { _ = try parse(json) }
        #expect(message.hasPrefix("p.json: "))
    }

    @Test func textInPlaceOfNumbersNaNAndDeepNesting() {
        let zeros = "[" + Array(repeating: "[0, 0, 0]", count: 18).joined(separator: ",") + "]"
        expectError(.emptyPose) { _ = try parse(zeros) }
        expectError(.nonFinitePose) {
            _ = try parse(zeros.replacingOccurrences(of: "[0, 0, 0]", with: "[NaN, 3, 1]"))
        }
        let quoted = flat.map { "\"\($0)\"" }.joined(separator: ", ")
        expectError(.malformedPose) {
            _ = try parse("{\"people\": [{\"pose_keypoints_2d\": [\(quoted)]}]}")
        }
        let deep = String(repeating: "[", count: 100_000)
        expectError(.malformedPose) { _ = try parse(deep) }
        let nested = String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
        expectError(.malformedPose) { _ = try parse(nested) }
        let huge = APerson.openPose([[1e300] + flat.dropFirst()])
        expectError(.poseOutsidePicture) {
            _ = try PoseInput(Data(huge.utf8), name: "").image(width: 256, height: 256)
        }
    }
}
