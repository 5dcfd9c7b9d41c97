import Foundation
import PosedVision
import Testing

@Suite struct PoseTextTests {
    private func parse(_ text: String, _ reading: PoseReading = PoseReading()) throws -> Keypoints {
        try Keypoints(file: Data(text.utf8), name: "p.txt", reading: reading)
    }

    private func rows(_ count: Int = 18) -> [String] {
        (0..<count).map { "\(60 + 4 * $0).0 \(20 + 2 * $0)" }
    }

    @Test func readsPosesOfPIDM() throws {
        var lines = rows()
        lines[3] = "-1.000000000000000000e+00 -1.000000000000000000e+00"
        lines[5] = "84 30 0.01"
        lines[6] = "0 0"
        let pose = try parse(lines.joined(separator: "\r\n") + "\n")
        #expect(pose.units == .frame(.deepFashion))
        let placed = try pose.placed(width: 352, height: 512).points
        #expect(placed[0] == Keypoint(x: 40, y: 40))
        #expect([3, 5, 6].allSatisfy { placed[$0] == .absent })
    }

    @Test func unitsOfYourOwnReplaceTheFormats() throws {
        let units = try #require(KeypointUnits.canvas(width: 256, height: 256))
        let pose = try parse(rows().joined(separator: "\n"), PoseReading(units: units))
        #expect(try pose.placed(width: 512, height: 256).points[0] == Keypoint(x: 120, y: 20))
        #expect(KeypointUnits.canvas(width: 0, height: 5) == nil)
        #expect(KeypointFrame(width: .nan, height: 5) == nil)
    }

    @Test func smallCoordinatesAreNormalized() throws {
        let pose = try parse(Array(repeating: "0.5, 0.25", count: 18).joined(separator: "\n"))
        #expect(try pose.placed(width: 64, height: 64).points[9] == Keypoint(x: 32, y: 16))
    }

    private func annotation(_ name: String, shift: Int = 0) -> String {
        let y = (0..<18).map { $0 == 2 ? "-1" : String(10 + $0) }.joined(separator: ", ")
        let x = (0..<18).map { $0 == 2 ? "-1" : String(44 + shift + $0) }.joined(separator: ", ")
        return "\(name): [\(y)]: [\(x)]"
    }

    @Test func readsAnnotationLines() throws {
        let one = try parse("name:keypoints_y:keypoints_x\n" + annotation("a.jpg"))
        let placed = try one.placed(width: 176, height: 256).points
        #expect(placed[0] == Keypoint(x: 44, y: 10) && placed[2] == .absent)
        let two = annotation("a.jpg") + "\n" + annotation("b.jpg", shift: 5)
        for who in ["b.jpg", "2"] {
            #expect(try parse(two, PoseReading(person: who)).points[0] == Keypoint(x: 49, y: 10))
        }
        expectError(.malformedPose) { _ = try parse(two) }
        for who in ["c.jpg", "3", "0"] {
            expectError(.malformedPose) { _ = try parse(two, PoseReading(person: who)) }
        }
    }

    @Test func readsLabelsOfUltralytics() throws {
        func label(_ scale: Double, _ confidence: String) -> String {
            "0 0.5 0.5 0.3 0.9 "
                + APerson.coco.map { "\($0.x * scale) \($0.y * scale)\(confidence)" }
                .joined(separator: " ")
        }
        try expectPerson(label(1.0 / 256, " 0.9"))
        try expectPerson(label(1.0 / 256, ""))
        try expectPerson(label(0.3 / 256, " 0.9") + " 0.7\n" + label(1.0 / 256, " 0.9") + " 0.8\n")
        expectError(.malformedPose) { _ = try parse(label(1, " 1") + "\n1 2\n") }
    }

    @Test func malformedTextIsNamed() {
        let bad: [(String, VisionError.Code)] = [
            ("", .malformedPose), (rows(17).joined(separator: "\n"), .incompletePose),
            (rows(19).joined(separator: "\n"), .incompletePose),
            ("12 13\nabc 4", .malformedPose), ("12", .malformedPose),
            ("1 2 3 4", .malformedPose), ("a: [1, 2]: [3]", .malformedPose),
            ("a: [1, x]: [3, 4]", .malformedPose), ("a: [1, 2", .malformedPose),
            ("a: [1, 2]: [3, 4]", .incompletePose),
            (Array(repeating: "-1 -1", count: 18).joined(separator: "\n"), .emptyPose),
            (Array(repeating: "nan 4", count: 18).joined(separator: "\n"), .nonFinitePose),
            (Array(repeating: "1e400 4", count: 18).joined(separator: "\n"), .nonFinitePose),
        ]
        for (text, code) in bad {
            let message = expectError(code, "\(text)") { _ = try parse(text) }
            #expect(message.hasPrefix("p.txt: "))
        }
    }

    @Test func aLineInAnotherNotationIsNamed() {
        for row in ["128;40", "128,5 40,5"] {
            let message = expectError(.malformedPose) {
                _ = try parse((rows(4) + [row] + rows(13)).joined(separator: "\n"))
            }
            #expect(message == "p.txt: line 5 should hold x and y, not \"\(row)\"")
        }
    }
}
