import Foundation
import PosedTesting
import PosedVision
import Testing

@Suite struct PoseInputTests {
    private static let list =
        "[" + (0..<18).map { "[\(20 + $0), \(30 + $0)]" }.joined(separator: ",") + "]"

    @Test func formatsAreToldByContent() throws {
        let folder = try ScratchFolder()
        let json = try folder.write("pose.txt", Data(("\n " + Self.list).utf8))
        guard case .keypoints(let pose) = try PoseInput(file: json) else {
            Issue.record("JSON was expected")
            return
        }
        #expect(pose.points[0] == Keypoint(x: 20, y: 30))
        let rows = (0..<18).map { "\(50 + $0) \(30 + $0)" }.joined(separator: "\n")
        let text = try folder.write("pose.json", Data(rows.utf8))
        guard case .keypoints(let other) = try PoseInput(file: text) else {
            Issue.record("text was expected")
            return
        }
        #expect(other.frame == .deepFashion)
    }

    @Test func aPictureIsUsedAsItIs() throws {
        let folder = try ScratchFolder()
        let image = try PictureGoldens.pattern(width: 24, height: 32)
        let named = try folder.write("pose.png", try image.pngData())
        let unnamed = try folder.write("pose", try image.pngData())
        for path in [named, unnamed] {
            let input = try PoseInput(file: path)
            #expect(try input.image(width: 24, height: 32) == image)
            #expect(
                try input.image(width: 48, height: 64) == image.resized(width: 48, height: 64))
        }
    }

    /// The skeleton as editors save it: on nothing, and on black.
    @Test func aPictureIsLaidOverBlack() throws {
        struct Cases: Decodable {
            struct Entry: Decodable {
                let name: String
                let file: Data
            }
            let poses: [Entry]
        }
        let poses = try PictureGoldens.load("pictures.json", as: Cases.self).poses
        let pictures = try poses.map { entry in
            try PoseInput(entry.file, name: entry.name).image(width: 32, height: 32)
        }
        #expect(poses.map(\.name) == ["on nothing", "on black", "on white"])
        #expect(pictures[0] == pictures[1])
        #expect(pictures[0] != pictures[2])
    }

    @Test func filesThatAreNoPoseAreNamed() throws {
        let folder = try ScratchFolder()
        let empty = try folder.write("empty", Data())
        let notPNG = try folder.write("pose.PNG", Data(Self.list.utf8))
        for (path, code) in [
            (empty, VisionError.Code.malformedPose), (notPNG, .notAPicture),
            (folder.path("none"), .unreadableFile),
        ] {
            let message = expectError(code) { _ = try PoseInput(file: path) }
            #expect(message.hasPrefix(path))
        }
    }
}
