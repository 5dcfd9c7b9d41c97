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

    @Test func filesThatAreNoPoseAreNamed() throws {
        let folder = try ScratchFolder()
        let empty = try folder.write("empty", Data())
        let notPNG = try folder.write("pose.PNG", Data(Self.list.utf8))
        for (path, code) in [
            (empty, VisionError.Code.malformedPose), (notPNG, .notAPNG),
            (folder.path("none"), .unreadableFile),
        ] {
            let message = expectError(code) { _ = try PoseInput(file: path) }
            #expect(message.hasPrefix(path))
        }
    }
}
