import Foundation
import PosedErrors
import PosedProtos
import PosedVision
import Testing

import PosedService

@Suite struct PoseDomainTests {
    private func read(_ change: (inout Posed_V1_Pose) -> Void) throws -> PoseInput {
        var pose = Posed_V1_Pose()
        change(&pose)
        return try pose.pose(at: "pose", maxSide: 64)
    }

    @Test func keypointsBecomeKeypoints() throws {
        guard case .keypoints(let keypoints) = try read({ $0.keypoints = Poses.keypoints() }) else {
            Issue.record("no keypoints")
            return
        }
        #expect(keypoints.points[2] == Keypoint(x: 12, y: 14))
        #expect(keypoints.units == .pixels)
    }

    @Test func picturesBecomePictures() throws {
        let picture = try Pictures.raw()
        #expect(try read { $0.picture = picture } == .picture(Pictures.image()))
        expectRefusal("pose.picture: expected `png`, `jpeg`, `webp` or `raw`, got none of them") {
            try read { $0.picture = Posed_V1_Image() }
        }
    }

    @Test func aFileIsToldByItsFirstBytes() throws {
        let png = try Pictures.png().png
        #expect(try read { $0.file = png } == .picture(Pictures.image()))
        let list = (0..<18).map { "[\($0 + 2), 5, 1]" }.joined(separator: ",")
        let json = Data("[\(list)]".utf8)
        guard case .keypoints(let keypoints) = try read({ $0.file = json }) else {
            Issue.record("no keypoints")
            return
        }
        #expect(keypoints.points[17] == Keypoint(x: 19, y: 5))
    }

    @Test func aPictureInAFileIsBoundedToo() throws {
        let png = try Pictures.claim(width: 65, height: 1)
        expectRefusal("pose.file: expected a picture of at most 64 pixels a side, got 65 × 1") {
            try read { $0.file = png }
        }
    }

    @Test func filesOfNothingAreRefused() {
        let expected =
            "pose.file: expected a picture, or a pose in JSON, text or a .pose file, but "
        expectRefusal(expected + "the file is empty") { try read { $0.file = Data() } }
        expectRefusal(expected + "this is not JSON") { try read { $0.file = Data("{".utf8) } }
        for text in ["{", "[]", "{\"people\": []}", "[[1,2,3]]", "words", "\u{0}\u{1}"] {
            #expect(throws: RequestError.self, "\(text)") {
                try read { $0.file = Data(text.utf8) }
            }
        }
    }

    @Test func filesAreBounded() {
        expectRefusal("pose.file: expected a pose file of at most 1048576 bytes, got 1048577") {
            try read { $0.file = Data(repeating: 0x20, count: (1 << 20) + 1) }
        }
    }

    @Test func deepJSONDoesNotOverflowTheStack() {
        #expect(throws: RequestError.self) {
            try read { $0.file = Data(repeating: UInt8(ascii: "["), count: 1 << 20) }
        }
    }

    @Test func aPoseMustBeOneOfThree() {
        expectRefusal("pose: expected `keypoints`, `picture` or `file`, got none of them") {
            try read { _ in }
        }
    }
}
