import PosedProtos
import SwiftProtobuf
import Testing

import posectl

@Suite struct BenchReportTests {
    private let plan = BenchReport.Plan(
        mode: "stream", concurrency: 2, sessions: 2, rate: nil, arrivals: nil, format: "raw",
        seconds: 10)

    private func frame(_ total: Double) -> Posed_V1_Frame {
        var frame = Posed_V1_Frame()
        frame.timings.total = Google_Protobuf_Duration(rounding: total)
        frame.timings.solve = Google_Protobuf_Duration(rounding: total / 2)
        frame.cache.source = true
        return frame
    }

    @Test func whatCountsIsSummedUp() {
        var records = (0..<10).map { index in
            BenchRecord(
                worker: index % 2, due: Double(index), end: Double(index) + 0.5,
                frame: frame(0.4))
        }
        records.append(BenchRecord(worker: 0, due: 3, end: 3.1, outcome: .superseded))
        records.append(BenchRecord(worker: 0, due: 4, end: 4.1, outcome: .failed("NOT_FOUND")))
        records.append(BenchRecord(worker: 0, due: 0.2, end: 9, outcome: .failed("INTERNAL")))
        let report = BenchReport(plan: plan, records: records, warmup: 2, deadline: 0.45)
        #expect(report.frames == 8)
        #expect(report.seconds == 7)
        #expect(report.framesPerSecond == 1)
        #expect(report.superseded == 1)
        #expect(report.failed == 1)
        #expect(report.failures == ["NOT_FOUND": 1])
        #expect(report.late == 8)
        #expect(report.latencyMs.p99 == 500)
        #expect(abs(report.overheadMs.p50 - 100) < 1e-6)
        #expect(report.gapMs.p50 == 2000)
        #expect(report.stagesMs["solve"]?.p50 == 200)
        #expect(report.sourceHits == 1)
        #expect(report.poseHits == 0)
    }

    /// What is under way when the counting begins, and when it ends, takes nothing from the rate.
    @Test func aSteadyLoadHasItsRate() {
        // Four callers whose requests take a second each, begun a quarter apart.
        let records = (0..<40).map { index in
            let due = Double(index / 4) + 0.25 * Double(index % 4)
            return BenchRecord(worker: index % 4, due: due, end: due + 1, frame: frame(0.9))
        }
        let report = BenchReport(plan: plan, records: records, warmup: 1, deadline: nil)
        #expect(report.frames == 36)
        #expect(report.seconds == 8.75)
        #expect(abs(report.framesPerSecond - 36 / 8.75) < 1e-9)
        // One request has no other time than its own.
        let one = BenchReport(plan: plan, records: [records[0]], warmup: 0, deadline: nil)
        #expect(one.framesPerSecond == 1)
    }

    @Test func nothingIsNoDivision() throws {
        let report = BenchReport(plan: plan, records: [], warmup: 1, deadline: nil)
        #expect(report.framesPerSecond == 0)
        #expect(try JSON.text(report).contains("\"frames\":0"))
        #expect(report.tables.count == 2)
    }

    @Test func peopleAreToldTheSame() {
        let records = [
            BenchRecord(worker: 0, due: 0, end: 0.25, frame: frame(0.2)),
            BenchRecord(worker: 0, due: 0.1, end: 0.2, outcome: .failed("UNAVAILABLE")),
        ]
        let report = BenchReport(plan: plan, records: records, warmup: 0, deadline: nil)
        let lines = report.tables.flatMap(\.lines)
        #expect(lines.contains { $0.contains("0 superseded, 1 failed (1 UNAVAILABLE)") })
        #expect(lines.contains { $0.hasPrefix("latency") && $0.contains("250 ms") })
        #expect(lines.contains { $0.hasPrefix("daemon: solve") && $0.contains("100 ms") })
    }

    @Test func aFigureWalks() {
        let poses = BenchPoses.walk(16)
        #expect(poses.count == 16)
        #expect(Set(poses.map { $0.keypoints.joints.map { [$0.x, $0.y] } }).count == 16)
        for pose in poses {
            #expect(pose.keypoints.joints.count == 18)
            #expect(
                pose.keypoints.joints.allSatisfy {
                    (0...1).contains($0.x) && (0...1).contains($0.y)
                })
        }
    }

    @Test func noSessionSharesAnothersPicture() {
        let pictures = BenchPoses.pictures(3, side: 8)
        #expect(Set(pictures.map { $0[0].raw.rgb }).count == 3)
        #expect(pictures.allSatisfy { $0[0].raw.rgb.count == 8 * 8 * 3 })
    }
}
