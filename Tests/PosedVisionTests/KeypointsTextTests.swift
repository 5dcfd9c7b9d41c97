import PosedVision
import Testing

@Suite struct KeypointsTextTests {
    private func rows(_ count: Int = 18) -> [String] {
        (0..<count).map { "\(60 + 4 * $0).0 \(20 + 2 * $0)" }
    }

    @Test func readsPosesOfPIDM() throws {
        var lines = rows()
        lines[3] = "-1.000000000000000000e+00 -1.000000000000000000e+00"
        lines[5] = "84 30 0.01"
        let pose = try Keypoints(text: lines.joined(separator: "\r\n") + "\n")
        #expect(pose.frame == .deepFashion)
        let placed = try pose.placed(width: 352, height: 512)
        #expect(placed[0] == Keypoint(x: 40, y: 40))
        #expect(placed[3] == .absent && placed[5] == .absent)
    }

    @Test func aFrameOfYourOwnReplacesTheFormats() throws {
        let frame = try #require(KeypointFrame(width: 256, height: 256))
        let pose = try Keypoints(text: rows().joined(separator: "\n"), frame: frame)
        #expect(try pose.placed(width: 512, height: 256)[0] == Keypoint(x: 120, y: 20))
        #expect(KeypointFrame(width: 0, height: 5) == nil)
        #expect(KeypointFrame(width: .nan, height: 5) == nil)
    }

    @Test func smallCoordinatesAreNormalized() throws {
        let pose = try Keypoints(
            text: Array(repeating: "0.5, 0.25", count: 18).joined(separator: "\n"))
        #expect(try pose.placed(width: 64, height: 64)[9] == Keypoint(x: 32, y: 16))
    }

    private func annotation(_ name: String, shift: Int = 0) -> String {
        let y = (0..<18).map { String(10 + $0) }.joined(separator: ", ")
        let x = (0..<18).map { $0 == 2 ? "-1" : String(44 + shift + $0) }.joined(separator: ", ")
        return "\(name): [\(y)]: [\(x)]"
    }

    @Test func readsAnnotationLines() throws {
        let one = try Keypoints(text: "name:keypoints_y:keypoints_x\n" + annotation("a.jpg"))
        let placed = try one.placed(width: 176, height: 256)
        #expect(placed[0] == Keypoint(x: 44, y: 10) && placed[2] == .absent)
        let two = annotation("a.jpg") + "\n" + annotation("b.jpg", shift: 5)
        let second = try Keypoints(text: two, person: "b.jpg")
        #expect(second.points[0] == Keypoint(x: 49, y: 10))
        expectError(.malformedPose) { _ = try Keypoints(text: two) }
        expectError(.malformedPose) { _ = try Keypoints(text: two, person: "c.jpg") }
    }

    @Test func malformedTextIsNamed() {
        let bad: [(String, VisionError.Code)] = [
            ("", .incompletePose),
            (rows(17).joined(separator: "\n"), .incompletePose),
            (rows(19).joined(separator: "\n"), .incompletePose),
            ("12 13\nabc 4", .malformedPose), ("12", .malformedPose),
            ("1 2 3 4", .malformedPose), ("a: [1, 2]: [3]", .malformedPose),
            ("a: [1, x]: [3, 4]", .malformedPose), ("a: [1, 2", .malformedPose),
            ("[", .malformedPose), ("a: [1, 2]: [3, 4]", .incompletePose),
            (Array(repeating: "-1 -1", count: 18).joined(separator: "\n"), .emptyPose),
            (Array(repeating: "nan 4", count: 18).joined(separator: "\n"), .nonFinitePose),
            (Array(repeating: "1e400 4", count: 18).joined(separator: "\n"), .nonFinitePose),
        ]
        for (text, code) in bad {
            let message = expectError(code, "\(text)") {
                _ = try Keypoints(text: text, name: "p.txt")
            }
            #expect(message.hasPrefix("p.txt: "))
        }
    }
}
