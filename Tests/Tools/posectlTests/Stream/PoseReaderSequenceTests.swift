import Foundation
import PosedProtos
import PosedTesting
import PosedVision
import Testing

import posectl

/// Pose files with many frames.
@Suite struct PoseReaderSequenceTests {
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "posectl-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private func all(_ reader: PoseReader) async throws -> [NamedPose] {
        var poses: [NamedPose] = []
        while let pose = try await reader.next() { poses.append(pose) }
        return poses
    }

    private struct Case: Decodable {
        let file: Data
        let rate: Double
    }

    @Test func framesOfABinaryFileAreSentOneByOne() async throws {
        let entry = try #require(
            PictureGoldens.load("pose-files.json", as: [Case].self).first { $0.rate == 25 })
        try await withFolder { folder in
            try entry.file.write(to: URL(fileURLWithPath: folder + "/walk.pose"))
            for argument in [folder, folder + "/walk.pose"] {
                let reader = try PoseReader([argument])
                #expect(reader.total == 3 && reader.rate == 25)
                let poses = try await all(reader)
                #expect(poses.map(\.name) == ["walk-000001", "walk-000002", "walk-000003"])
                let first = poses[0].pose.keypoints
                #expect(first.joints.count == 18 && first.leftHand.count == 21)
                #expect(first.face.count == 70 && first.space == .normalized)
                // Nobody is there in the second frame; the daemon says so.
                #expect(poses[1].pose.keypoints.joints.allSatisfy { $0.confidence == 0 })
            }
        }
    }

    @Test func framesOfPixelsThatNobodyNamedAreSentAsFiles() async throws {
        let joints = (0..<18).map { "\(10 + $0), \(20 + $0), 0.9" }.joined(separator: ", ")
        let frame = "{\"people\": [{\"pose_keypoints_2d\": [\(joints)]}]}"
        try await withFolder { folder in
            let path = folder + "/two.json"
            try Data("[\(frame), \(frame)]".utf8).write(to: URL(fileURLWithPath: path))
            let poses = try await all(try PoseReader([path]))
            #expect(poses.count == 2)
            let back = try Keypoints(file: poses[1].pose.file, name: "two")
            #expect(back.points[3] == Keypoint(x: 13, y: 23, confidence: 0.9))
            let units = try #require(KeypointUnits.canvas(width: 100, height: 50))
            let said = try await all(try PoseReader([path], reading: PoseReading(units: units)))
            #expect(said[0].pose.keypoints.joints[3].x == 0.13)
            #expect(said[0].pose.keypoints.joints[3].y == 0.46)
        }
    }

    @Test func aReadingGoesWithEachFile() async throws {
        try await withFolder { folder in
            try Data("[1]\n".utf8).write(to: URL(fileURLWithPath: folder + "/p.jsonl"))
            try Data("{".utf8).write(to: URL(fileURLWithPath: folder + "/a.json"))
            let reading = PoseReading(
                person: "2", units: .frame(.signed), minConfidence: 0.5)
            let reader = try PoseReader(
                [folder + "/p.jsonl", folder + "/a.json"], reading: reading)
            for pose in try await all(reader) {
                #expect(pose.pose.reading.person == "2")
                #expect(pose.pose.reading.space == .normalizedSigned)
                #expect(pose.pose.reading.minConfidence == 0.5)
            }
            let plain = try await all(try PoseReader([folder + "/p.jsonl"]))
            #expect(!plain[0].pose.hasReading)
        }
    }
}
