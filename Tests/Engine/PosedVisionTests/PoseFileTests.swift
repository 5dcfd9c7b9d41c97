import Foundation
import PosedTesting
import PosedVision
import Testing

/// A person in pixels of a picture of 256 × 256, and files that hold him.
enum APerson {
    static let joints: [(x: Double, y: Double)] = [
        (128, 40), (128, 64), (104, 64), (96, 96), (92, 124), (152, 64), (160, 96), (164, 124),
        (112, 132), (110, 176), (108, 220), (144, 132), (146, 176), (148, 220), (124, 36),
        (132, 36),
        (118, 38), (138, 38),
    ]

    /// [x, y, confidence, …], scaled.
    static func flat(_ scale: Double = 1, confidence: Double = 1, right: Double = 0) -> [Double] {
        joints.flatMap { [$0.x * scale + right, $0.y * scale, confidence] }
    }

    static func openPose(_ people: [[Double]], canvas: Int? = nil) -> String {
        let people = people.map { "{\"pose_keypoints_2d\": \($0)}" }.joined(separator: ", ")
        let size = canvas.map { ", \"canvas_width\": \($0), \"canvas_height\": \($0)" } ?? ""
        return "{\"version\": 1.3, \"people\": [\(people)]\(size)}"
    }

    /// The picture of the person.
    static func image() throws -> Image {
        let points = joints.map { Keypoint(x: $0.x, y: $0.y) }
        return try PoseRenderer(width: 256, height: 256)
            .image(of: try Keypoints(points, units: .pixels))
    }

    /// The 18 joints as 17 of COCO.
    static var coco: [(x: Double, y: Double)] {
        [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10].map { joints[$0] }
    }

    /// The 18 joints as 33 of MediaPipe, normalized; those that are not among the 18 lie on the nose.
    static var mediaPipe: [(x: Double, y: Double)] {
        var points = [(x: Double, y: Double)](repeating: joints[0], count: 33)
        let places = [
            0: 0, 2: 12, 3: 14, 4: 16, 5: 11, 6: 13, 7: 15, 8: 24, 9: 26, 10: 28, 11: 23, 12: 25,
            13: 27,
            14: 5, 15: 2, 16: 8, 17: 7,
        ]
        for (joint, place) in places { points[place] = joints[joint] }
        return points.map { (x: $0.x / 256, y: $0.y / 256) }
    }
}

/// Expects that the contents of a file are drawn as a person in a picture of 256 × 256.
func expectPerson(
    _ text: String, _ reading: PoseReading = PoseReading(), as expected: Image? = nil,
    _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let pose = try PoseInput(Data(text.utf8), name: "the pose", reading: reading)
    let image = try pose.image(width: 256, height: 256)
    #expect(
        try image == expected ?? APerson.image(), comment ?? "\(text.prefix(80))",
        sourceLocation: sourceLocation)
}

@Suite struct PoseFileTests {
    @Test func formatsAreToldByContent() throws {
        let folder = try ScratchFolder()
        let json = try folder.write(
            "pose.txt", Data(("\n " + APerson.openPose([APerson.flat()])).utf8))
        guard case .keypoints(let pose) = try PoseInput(file: json) else {
            Issue.record("JSON was expected")
            return
        }
        #expect(pose.points[0] == Keypoint(x: 128, y: 40))
        let rows = (0..<18).map { "\(50 + $0) \(30 + $0)" }.joined(separator: "\n")
        let text = try folder.write("pose.json", Data(rows.utf8))
        guard case .keypoints(let other) = try PoseInput(file: text) else {
            Issue.record("text was expected")
            return
        }
        #expect(other.units == .frame(.deepFashion))
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
        let notPNG = try folder.write("pose.PNG", Data("[]".utf8))
        for (path, code) in [
            (empty, VisionError.Code.malformedPose), (notPNG, .notAPicture),
            (folder.path("none"), .unreadableFile),
        ] {
            let message = expectError(code) { _ = try PoseInput(file: path) }
            #expect(message.hasPrefix(path))
        }
    }

    @Test func marksOfEncodings() throws {
        let text = APerson.openPose([APerson.flat()], canvas: 256)
        try expectPerson("\u{FEFF}" + text)
        let wide = try #require(text.data(using: .utf16))
        let message = expectError(.malformedPose) { _ = try PoseInput(wide, name: "p.json") }
        #expect(message.contains("UTF-16"))
    }

    @Test func severalFramesAreNoPose() throws {
        let frame = APerson.openPose([APerson.flat()])
        let data = Data("[\(frame), {\"people\": []}, \(frame)]".utf8)
        let message = expectError(.severalPoses) { _ = try PoseInput(data, name: "walk.json") }
        #expect(message.contains("3 frames"))
        let sequence = try PoseSequence(data, name: "walk.json")
        #expect(sequence.frames.map { $0 != nil } == [true, false, true])
        #expect(sequence.rate == nil)
    }
}

@Suite struct PosePersonTests {
    private let person = APerson.flat()

    @Test func theOneWhoIsThereCounts() throws {
        let nobody = [Double](repeating: 0, count: 54)
        try expectPerson(APerson.openPose([nobody, person], canvas: 256))
        try expectPerson(APerson.openPose([[], person]))
        try expectPerson(
            "{\"people\": [null, {\"pose_keypoints_2d\": \(person)}]}")
        try expectPerson(
            "{\"people\": [{\"pose_keypoints_2d\": null}, {\"pose_keypoints_2d\": \(person)}]}")
    }

    @Test func theMostCertainAndLargestCounts() throws {
        let passer = APerson.flat(confidence: 0.06, right: 60)
        try expectPerson(APerson.openPose([passer, person]))
        let child = APerson.flat(0.4)
        try expectPerson(APerson.openPose([child, person, child]))
        try expectPerson(
            APerson.openPose([child, person, passer]), PoseReading(person: "2"))
        let small = try PoseInput(
            Data(APerson.openPose([person, child]).utf8), name: "",
            reading: PoseReading(person: "2"))
        #expect(try small.image(width: 256, height: 256) != APerson.image())
    }

    @Test func someoneWhoIsNotThereIsRefused() {
        let two = Data(APerson.openPose([person, [Double](repeating: 0, count: 54)]).utf8)
        for who in ["2", "3"] {
            let message = expectError(.emptyPose) {
                _ = try PoseInput(two, name: "p.json", reading: PoseReading(person: who))
            }
            #expect(message == "p.json: person \(who) was expected, but is not there")
        }
        for who in ["0", "-1", "Ada"] {
            expectError(.malformedPose) {
                _ = try PoseInput(two, name: "p.json", reading: PoseReading(person: who))
            }
        }
    }

    @Test func certaintyCanBeAskedFor() throws {
        var doubtful = person
        doubtful[14] = 0.3
        let pose = try Keypoints(
            file: Data(APerson.openPose([doubtful]).utf8), name: "",
            reading: PoseReading(minConfidence: 0.5))
        #expect(pose.points[4] == .absent && pose.points[3].isPresent)
    }
}

@Suite struct PoseUnitsTests {
    @Test func unitsHaveNames() {
        #expect(KeypointUnits(named: "854x480") == .canvas(width: 854, height: 480))
        #expect(KeypointUnits(named: "normalized") == .frame(.unit))
        #expect(KeypointUnits(named: "normalized-signed") == .frame(.signed))
        for text in ["", "x", "854", "0x480", "854x-1", "854x480x3", "signed", "1.5x2"] {
            #expect(KeypointUnits(named: text) == nil, "\(text)")
        }
    }

    @Test func aCanvasIsTheFrame() throws {
        try expectPerson(APerson.openPose([APerson.flat(2)], canvas: 512))
        let editor = APerson.joints.map { [$0.x * 2, $0.y * 2] }
        let edited = "{\"width\": 512, \"height\": 512, \"keypoints\": \(editor)}"
        try expectPerson(edited)
        try expectPerson("{\"width\": 512, \"height\": 512, \"keypoints\": [\(editor)]}")
        let quoted = APerson.openPose([APerson.flat(2)], canvas: 512)
            .replacingOccurrences(of: ": 512", with: ": \"512\"")
        try expectPerson(quoted)
    }

    @Test(arguments: ["0", "-5", "\"wide\"", "NaN"])
    func aCanvasThatIsNoneIsRefused(side: String) {
        let text = APerson.openPose([APerson.flat()], canvas: 512)
            .replacingOccurrences(of: "\"canvas_width\": 512", with: "\"canvas_width\": \(side)")
        let message = expectError(.malformedPose) { _ = try PoseInput(Data(text.utf8), name: "p") }
        #expect(message.contains("canvas_width"))
    }

    @Test func normalizedPosesMayLeaveThePicture() throws {
        let unit: [Double] = APerson.joints.flatMap { [$0.x / 256, $0.y / 256, 1.0] }
        for canvas in [512, nil] {
            try expectPerson(APerson.openPose([unit], canvas: canvas))
            var over = unit
            over[31] = 1.004
            let pose = try Keypoints(
                file: Data(APerson.openPose([over], canvas: canvas).utf8), name: "")
            #expect(pose.units == KeypointUnits.frame(.unit) && pose.points[10].y == 1.004)
        }
    }

    @Test(arguments: [(854, 480), (1920, 1080), (1080, 1080)])
    func aVideosPoseNeedsItsSize(width: Int, height: Int) throws {
        let numbers: [Double] = APerson.joints.flatMap {
            [$0.x * Double(width) / 256, $0.y * Double(height) / 256, 1.0]
        }
        let video = APerson.openPose([numbers])
        let pose = try PoseInput(Data(video.utf8), name: "video.json")
        let message = expectError(.poseOutsidePicture) {
            _ = try pose.image(width: 256, height: 256)
        }
        #expect(message.contains("--pose-size"))
        let said = try #require(KeypointUnits(named: "\(width)x\(height)"))
        try expectPerson(video, PoseReading(units: said))
    }

    /// An editor's file and OpenPose's with the same canvas are the same pose.
    @Test func anEditorsCanvasIsOpenPoses() throws {
        let editor = APerson.joints.map { [$0.x, $0.y] }
        let open = try PoseInput(
            Data(APerson.openPose([APerson.flat()], canvas: 512).utf8), name: "ed_op512.json")
        try expectPerson(
            "{\"width\": 512, \"height\": 512, \"keypoints\": \(editor)}",
            as: try open.image(width: 256, height: 256))
    }

    /// A joint a little beyond a normalized picture is drawn as far as it is in it.
    @Test func aJointBeyondThePictureIsClipped() throws {
        for canvas in [512, nil] {
            var unit: [Double] = APerson.joints.flatMap { [$0.x / 256, $0.y / 256, 1.0] }
            unit[31] = 1.004
            var pixels = APerson.joints.map { Keypoint(x: $0.x, y: $0.y) }
            pixels[10] = Keypoint(x: pixels[10].x, y: 1.004 * 256)
            let expected = try PoseRenderer(width: 256, height: 256)
                .image(of: try Keypoints(pixels, units: .pixels))
            try expectPerson(APerson.openPose([unit], canvas: canvas), as: expected)
            try expectPerson(
                "\(stride(from: 0, to: 54, by: 3).map { Array(unit[$0..<$0 + 3]) })", as: expected)
        }
    }

    @Test func signedCoordinatesAreAsked() throws {
        let signed: [Double] = APerson.joints.flatMap { [$0.x / 128 - 1, $0.y / 128 - 1, 1.0] }
        let text = APerson.openPose([signed])
        let message = expectError(.unclearUnits) { _ = try PoseInput(Data(text.utf8), name: "p") }
        #expect(message.contains("normalized-signed"))
        try expectPerson(text, PoseReading(units: .frame(.signed)))
        let taken = try Keypoints(
            file: Data(text.utf8), name: "", reading: PoseReading(units: .frame(.unit)))
        #expect(taken.units == KeypointUnits.frame(.unit))
    }
}
