import Testing

import posectl

@Suite struct StreamReportTests {
    @Test func theSumOfItsRecords() throws {
        var records = (1...4).map { index in
            StreamRecord(sequence: UInt64(index), name: "\(index)", latencyMs: Double(index) * 10)
        }
        records[1].supersededBy = 3
        records[3].isLate = true
        records.append(StreamRecord(sequence: 5, name: "5", latencyMs: 1, error: "NOT_FOUND: x"))
        let report = StreamReport(
            session: "sessions/a", seconds: 2, records: records, arrivals: [0.5, 1, 2])
        #expect(report.frames == 3)
        #expect(report.superseded == 1)
        #expect(report.failed == 1)
        #expect(report.late == 1)
        #expect(report.framesPerSecond == 1.5)
        #expect(report.latencyMs.max == 40)
        #expect(report.gapMs.max == 1000)
        let json = try JSON.text(report)
        #expect(json.contains("\"frames_per_second\":1.5"))
        #expect(json.contains("\"superseded_by\":3"))
        #expect(json.contains("\"error\":\"NOT_FOUND: x\""))
        #expect(report.table.lines[0].contains("3 in 2 s, 1.5 a second"))
    }

    @Test func nothingIsNoDivision() throws {
        let report = StreamReport(session: "", seconds: 0, records: [], arrivals: [])
        #expect(report.framesPerSecond == 0)
        #expect(try JSON.text(report).contains("\"frames\":0"))
        #expect(report.table.lines.count == 5)
    }
}
