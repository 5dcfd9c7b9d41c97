internal import Foundation
internal import Logging
internal import PosedBase
internal import PosedTelemetry
internal import Testing

/// A pipe whose lines a test reads back.
final class LinePipe {
    let input: Int32
    private let output: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        (output, input) = (ends[0], ends[1])
    }

    /// Everything written, as lines; nothing can be written afterwards.
    func finish() -> [String] {
        close(input)
        let handle = FileHandle(fileDescriptor: output, closeOnDealloc: true)
        let text = String(decoding: handle.readDataToEndOfFile(), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }
}

@Suite("The log")
struct LogSinkTests {
    private func sink(_ pipe: LinePipe, _ level: Logger.Level = .info) -> LogSink {
        LogSink(
            descriptor: pipe.input, format: .journal, level: level,
            now: { WallTime(microseconds: 0) })
    }

    @Test("takes what is grave enough, and changes its mind at once")
    func levels() throws {
        let pipe = try LinePipe()
        let sink = sink(pipe)
        let logger = sink.logger("a")
        var loud = sink.logger("b")
        loud.logLevel = .trace
        logger.debug("one")
        logger.info("two")
        loud.trace("three")
        sink.level = .error
        logger.warning("four")
        logger.error("five")
        sink.level = .debug
        logger.debug("six")
        #expect(pipe.finish() == ["<6>a: two", "<7>b: three", "<3>a: five", "<7>a: six"])
    }

    @Test("carries the request of the task, and what the logger and the line say")
    func metadata() throws {
        let pipe = try LinePipe()
        var logger = sink(pipe).logger("a")
        logger[metadataKey: "stage"] = "decode"
        logger.info("outside")
        RequestID.$current.withValue("r7") {
            logger.info("inside", metadata: ["stage": "encode"])
        }
        logger.error("failed", error: TelemetryError(.conflict, "two of them"))
        #expect(logger[metadataKey: "stage"] == "decode")
        #expect(
            pipe.finish() == [
                "<6>a: outside stage=decode", "<6>a: inside request-id=r7 stage=encode",
                "<3>a: failed error=\"two of them\" stage=decode",
            ])
    }

    @Test("keeps the lines of threads apart")
    func threads() async throws {
        let pipe = try LinePipe()
        let sink = sink(pipe)
        let text = String(repeating: "x", count: 300)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<25 { sink.logger("t").info("\(text)") } }
            }
        }
        let lines = pipe.finish()
        #expect(lines.count == 100)
        #expect(Set(lines) == ["<6>t: " + text])
    }

    @Test("changes its form while it runs, and survives where it cannot write")
    func form() throws {
        let pipe = try LinePipe()
        let sink = sink(pipe)
        sink.format = .json
        sink.logger("a").info("hello")
        let lines = pipe.finish()
        #expect(lines.count == 1 && lines[0].hasPrefix("{\"time\""))
        // Not to the pipe, now that it is closed: its number may be another test's by then.
        let void = LogSink(descriptor: -1, format: .json)
        void.logger("a").info("into the void")  // nothing happens
    }
}
