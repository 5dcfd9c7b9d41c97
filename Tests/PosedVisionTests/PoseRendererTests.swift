import Foundation
import PosedTesting
import PosedVision
import Testing

@Suite struct PoseRendererTests {
    struct Case: Decodable {
        let name: String
        let width: Int
        let height: Int
        let joints: [[Double]]
        let digest: String
        let rgb: Data?
    }

    @Test func equalsThePlainDefinition() throws {
        let cases = try PictureGoldens.load("pose.json", as: [Case].self)
        #expect(cases.count == 5)
        for entry in cases {
            let pose = try Keypoints(
                entry.joints.map { Keypoint(x: $0[0], y: $0[1], confidence: $0[2]) })
            let image = try PoseRenderer(width: entry.width, height: entry.height).image(of: pose)
            if let rgb = entry.rgb {
                let differing = zip(image.bytes, rgb).count { $0 != $1 }
                #expect(differing == 0, "\(entry.name)")
            }
            #expect(PictureGoldens.digest(image.bytes) == entry.digest, "\(entry.name)")
        }
    }

    @Test func oneJointIsADisc() throws {
        var points = [Keypoint](repeating: .absent, count: 18)
        points[2] = Keypoint(x: 20.5, y: 10.5)
        let image = try PoseRenderer(width: 64, height: 64).image(of: try Keypoints(points))
        #expect(image[20, 10] == RGB(255, 170, 0))
        #expect(image[21, 10] == RGB(128, 85, 0))  // half covered: 127.5 and 85
        #expect(image[22, 10] == .black)
    }

    @Test func jointsBeyondTheEdgeAreCut() throws {
        var points = [Keypoint](repeating: .absent, count: 18)
        points[1] = Keypoint(x: 8, y: 8)
        points[2] = Keypoint(x: 127, y: 127)
        let image = try PoseRenderer(width: 64, height: 64).image(of: try Keypoints(points))
        #expect(image[63, 63] != .black)
        #expect(image[63, 0] == .black)
    }

    @Test func sizesMustBePositive() {
        expectError(.invalidSize) { _ = try PoseRenderer(width: 0, height: 64) }
    }
}
