internal import Foundation
internal import Logging
internal import PosedBase
internal import PosedTelemetry
internal import Testing

@Suite("The forms of a log line")
struct LogFormatTests {
    private let record = LogRecord(
        time: WallTime(microseconds: 1_700_000_000_123_456), level: .warning, label: "posed.rpc",
        message: "Refused a picture",
        metadata: ["request-id": "a1", "peer": "unix 1000", "empty": "", "size": "[0, 1]"])

    @Test("begin with the priority in the journal")
    func journal() {
        #expect(
            LogFormat.journal.line(record)
                == "<4>posed.rpc: Refused a picture empty=\"\" peer=\"unix 1000\" request-id=a1 "
                + "size=\"[0, 1]\"")
        let priorities = Logger.Level.allCases.map { level in
            LogFormat.journal.line(
                LogRecord(time: record.time, level: level, label: "x", message: ""))
        }
        #expect(
            priorities.map { $0.prefix(3) } == ["<7>", "<7>", "<6>", "<5>", "<4>", "<3>", "<2>"])
    }

    @Test("begin with the time for people")
    func text() {
        let begin = "2023-11-14T22:13:20.123456Z "
        #expect(LogFormat.text.line(record).hasPrefix(begin + "warning  posed.rpc: Refused"))
        #expect(
            LogFormat.terminal.line(record)
                .hasPrefix(begin + "\u{1B}[33mwarning \u{1B}[0m posed.rpc: Refused"))
    }

    @Test("are objects for machines")
    func json() throws {
        var record = record
        record.message = "quote \" backslash \\ bell \u{7} line \n \u{2028} done é🙂"
        record.metadata["nested"] = ["list": ["a", "b"], "number": .stringConvertible(3)]
        let line = LogFormat.json.line(record)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        let fields = try #require(object)
        #expect(Set(fields.keys) == ["time", "level", "logger", "message", "metadata"])
        #expect(fields["time"] as? String == "2023-11-14T22:13:20.123456Z")
        #expect(fields["level"] as? String == "warning")
        #expect(fields["message"] as? String == record.message)
        let metadata = try #require(fields["metadata"] as? [String: Any])
        let nested = try #require(metadata["nested"] as? [String: Any])
        #expect(nested["list"] as? [String] == ["a", "b"])
        #expect(nested["number"] as? String == "3")
    }

    @Test("stay one line, whatever they are told", arguments: LogFormat.allCases)
    func injection(format: LogFormat) {
        let evil = "a\nb\r\nc\u{1B}[2Jd\u{0}e\u{85}f\u{2028}g\u{9B}h"
        let line = format.line(
            LogRecord(
                time: record.time, level: .info, label: evil, message: evil,
                metadata: [evil: .string(evil)]))
        let allowed = format == .terminal ? 2 : 0  // its own two colour codes
        let controls = line.unicodeScalars.filter { scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                || scalar.properties.generalCategory == .lineSeparator
        }
        #expect(controls.count == allowed)
    }

    @Test("tell every moment, before 1970 and after 2038")
    func times() {
        #expect(WallTime(microseconds: 0).description == "1970-01-01T00:00:00.000000Z")
        #expect(WallTime(microseconds: -1).description == "1969-12-31T23:59:59.999999Z")
        #expect(
            WallTime(microseconds: 4_102_444_800_000_001).description
                == "2100-01-01T00:00:00.000001Z")
    }

    @Test("suit what is behind the descriptor")
    func choice() throws {
        var pipes: [Int32] = [0, 0]
        try #require(pipe(&pipes) == 0)
        defer { pipes.forEach { close($0) } }
        var status = stat()
        try #require(fstat(pipes[1], &status) == 0)
        let stream = "\(status.st_dev):\(status.st_ino)"
        func suited(_ environment: [String: String]) -> LogFormat {
            .suited(to: pipes[1], environment: environment)
        }
        #expect(suited(["JOURNAL_STREAM": stream]) == .journal)
        #expect(suited([:]) == .text)
        for leaked in ["8:1", "", "x:y", stream + ":1", "\(status.st_ino)"] {
            #expect(suited(["JOURNAL_STREAM": leaked]) == .text)
        }
    }
}
