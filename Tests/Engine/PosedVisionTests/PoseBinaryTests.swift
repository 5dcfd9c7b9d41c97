import Foundation
import PosedTesting
import PosedVision
import Testing

@Suite struct PoseBinaryTests {
    struct Case: Decodable {
        struct Frame: Decodable {
            let body: [[Double]]
            let left: [[Double]]?
            let right: [[Double]]?
            let face: [[Double]]?
        }
        let name: String
        let file: Data
        let rate: Double
        let frames: [Frame]
    }

    private static func cases() throws -> [Case] {
        try PictureGoldens.load("pose-files.json", as: [Case].self)
    }

    private func expectEqual(
        _ found: [Keypoint], _ expected: [[Double]]?, _ comment: Comment, from start: Int = 0
    ) {
        guard let expected else { return }
        #expect(found.count >= expected.count || found.isEmpty, comment)
        for (joint, numbers) in zip(found, expected) {
            let wanted =
                numbers[2] == 0
                ? Keypoint.absent : Keypoint(x: numbers[0], y: numbers[1], confidence: numbers[2])
            #expect(joint == wanted, comment)
        }
    }

    /// Files that pose-format wrote, and those in its older layouts that it reads.
    @Test func readsWhatPoseFormatWrites() throws {
        let cases = try Self.cases()
        #expect(cases.count == 10)
        for entry in cases {
            let sequence = try PoseSequence(entry.file, name: entry.name)
            #expect(sequence.rate == entry.rate, "\(entry.name)")
            #expect(sequence.frames.count == entry.frames.count, "\(entry.name)")
            for (pose, frame) in zip(sequence.frames, entry.frames) {
                guard let pose else {
                    #expect(frame.body.allSatisfy { $0[2] == 0 }, "\(entry.name)")
                    continue
                }
                #expect(pose.units == .canvas(width: 320, height: 310))
                var body = pose.points
                var expected = frame.body
                if expected[1][2] == 0, body[1].isPresent {
                    // The neck between the shoulders, of formats that have none.
                    #expect(body[1].x == (body[2].x + body[5].x) / 2, "\(entry.name)")
                    body.remove(at: 1)
                    expected.remove(at: 1)
                }
                expectEqual(body, expected, "\(entry.name)")
                expectEqual(pose.leftHand, frame.left, "\(entry.name), left hand")
                expectEqual(pose.rightHand, frame.right, "\(entry.name), right hand")
                expectEqual(pose.face, frame.face, "\(entry.name), face")
            }
        }
    }

    @Test func allOfAPersonIsFound() throws {
        for entry in try Self.cases() {
            guard let pose = try PoseSequence(entry.file, name: "").frames[0] else { continue }
            #expect(pose.leftHand.count == 21 && pose.rightHand.count == 21, "\(entry.name)")
            #expect(pose.face.count == 70, "\(entry.name)")
            if entry.name == "part of holistic" {
                #expect(pose.leftHand[9...].allSatisfy { $0 == .absent })
                #expect(pose.face.count { $0.isPresent } <= 2)
            }
        }
    }

    @Test func oneFrameIsAPose() throws {
        let several = try #require(try Self.cases().first)
        let message = expectError(.severalPoses) { _ = try PoseInput(several.file, name: "a.pose") }
        #expect(message == "a.pose: one pose was expected, the file has 3 frames")
    }

    /// Whatever is cut off or turned over, there is a sentence or a pose.
    @Test func damagedFilesAreRefused() throws {
        for entry in try Self.cases() {
            let bytes = [UInt8](entry.file)
            for length in stride(from: 4, to: bytes.count, by: max(1, bytes.count / 97)) {
                expectError(.malformedPose, "\(entry.name), \(length)") {
                    _ = try PoseSequence(Data(bytes[..<length]), name: "cut.pose")
                }
            }
            var random = UInt64(bytes.count)
            for _ in 0..<200 {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                var damaged = bytes
                damaged[4 + Int(random >> 33) % (min(damaged.count, 600) - 4)] ^= UInt8(
                    truncatingIfNeeded: random >> 20 | 1)
                do {
                    _ = try PoseSequence(Data(damaged), name: "damaged.pose")
                } catch let error as VisionError {
                    #expect(!error.message.contains("\n"))
                }
            }
        }
    }

    private func header(_ version: [UInt8], points: Int = 1) -> [UInt8] {
        func short(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8)] }
        func text(_ value: String) -> [UInt8] { short(value.utf8.count) + Array(value.utf8) }
        let name = text("b") + text("XYC") + short(points) + short(0) + short(0)
        return version + short(100) + short(100) + short(0) + short(1) + name
            + (0..<points).flatMap { _ in text("nose") }
    }

    @Test func countsThatLieAreRefused() {
        let long: [UInt8] = [0xCD, 0xCC, 0x4C, 0x3E]
        let rate: [UInt8] = [0, 0, 200, 65]
        let most: [UInt8] = [255, 255, 255, 255, 255, 255]
        for bytes in [
            header(long) + rate + most, header(long, points: 0) + rate + most,
            header(long) + rate + [255, 255, 0, 0, 0, 0],  // frames of nobody
            header([0, 0, 0, 0]) + [25, 0, 255, 255, 255, 255],
            header([0xCD, 0xCC, 0xCC, 0x3D]) + [25, 0, 255, 255, 255, 255],
            long + [UInt8](repeating: 255, count: 64),
        ] {
            do {
                let frames = try PoseSequence(Data(bytes), name: "lie.pose").frames
                #expect(frames.allSatisfy { $0 == nil })
            } catch let error as VisionError {
                #expect(error.code == .malformedPose)
            } catch {
                Issue.record(error)
            }
        }
    }
}
