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
        let left: [[Double]]?
        let right: [[Double]]?
        let face: [[Double]]?
        let digest: String
        /// Of the picture without hands and face.
        let bare: String?
        let rgb: Data?
    }

    private func points(_ numbers: [[Double]]?) -> [Keypoint] {
        (numbers ?? []).map { Keypoint(x: $0[0], y: $0[1], confidence: $0[2]) }
    }

    @Test func equalsThePlainDefinition() throws {
        let cases = try PictureGoldens.load("pose.json", as: [Case].self)
        #expect(cases.count == 9 && cases.count { $0.bare != nil } == 3)
        for entry in cases {
            let pose = try Keypoints(
                points(entry.joints), leftHand: points(entry.left), rightHand: points(entry.right),
                face: points(entry.face), units: .pixels)
            let image = try PoseRenderer(
                width: entry.width, height: entry.height,
                drawer: PoseDrawer(hands: true, face: true)
            ).image(of: pose)
            if let rgb = entry.rgb {
                let differing = zip(image.bytes, rgb).count { $0 != $1 }
                #expect(differing == 0, "\(entry.name)")
            }
            #expect(PictureGoldens.digest(image.bytes) == entry.digest, "\(entry.name)")
            // A model that does not ask for them sees neither hands nor face.
            let bare = try PoseRenderer(width: entry.width, height: entry.height).image(of: pose)
            #expect(
                PictureGoldens.digest(bare.bytes) == entry.bare ?? entry.digest, "\(entry.name)")
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

    @Test func limbsAreCutAtAllFourEdgesAlike() throws {
        var points = [Keypoint](repeating: .absent, count: 18)
        points[1] = Keypoint(x: 32, y: 32)
        let ends = [(-100.0, 32.0), (164, 32), (32, -100), (32, 164)]
        let places = [(0, 32), (63, 32), (32, 0), (32, 63)]
        for (end, place) in zip(ends, places) {
            points[2] = Keypoint(x: end.0, y: end.1)
            let pose = try Keypoints(points, units: .pixels)
            let image = try PoseRenderer(width: 64, height: 64).image(of: pose)
            #expect(image[place.0, place.1] != .black)
            #expect(places.count { image[$0.0, $0.1] != .black } == 1)
        }
    }

    @Test func sizesMustBePositive() {
        expectError(.invalidSize) { _ = try PoseRenderer(width: 0, height: 64) }
    }
}

@Suite struct PoseDrawerTests {
    private func read(_ json: String) throws -> PoseDrawer {
        try PoseDrawer(json: Data(json.utf8), name: "config.json")
    }

    @Test func whatIsNotSaidIsTheDefault() throws {
        let folder = try ScratchFolder()
        #expect(try PoseDrawer(folder: folder.path("none")) == PoseDrawer())
        #expect(try read("{}") == PoseDrawer(body: .capsules, hands: false, face: false))
        let all = #"{"_class_name": "PoseDrawer", "body": "capsules", "hands": true, "face": true}"#
        #expect(try read(all) == PoseDrawer(body: .capsules, hands: true, face: true))
        _ = try folder.write("config.json", Data(#"{"hands": true}"#.utf8))
        #expect(try PoseDrawer(folder: folder.path("")) == PoseDrawer(hands: true))
    }

    @Test(arguments: [
        "", "[]", #"{"_class_name": "Other"}"#, #"{"body": "sticks"}"#, #"{"body": 3}"#,
        #"{"hands": 1}"#, #"{"face": "yes"}"#,
    ])
    func whatIsUnknownIsRefused(json: String) {
        let message = expectError(.invalidConfiguration, "\(json)") { _ = try read(json) }
        #expect(message.hasPrefix("config.json: "))
    }
}
