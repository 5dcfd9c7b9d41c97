internal import Foundation
internal import PosedTesting
internal import Testing

/// A process of the rehearsal daemon, and what it says.
final class RehearsalProcess {
    private let process = Process()
    private let errors: FileHandle
    private var buffer = Data()

    /// Starts the daemon, or a tool that starts it.
    init(_ tool: [String] = [], file: String, environment: [String: String] = [:]) throws {
        let rehearsal = try #require(Self.find())
        let line = tool + [rehearsal, file]
        process.executableURL = URL(fileURLWithPath: line[0])
        process.arguments = Array(line.dropFirst())
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = FileHandle.nullDevice
        errors = pipe.fileHandleForReading
        try process.run()
    }

    /// The built program, in the folder of the tests' own bundle or above it.
    private static func find() -> String? {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        for _ in 0..<4 {
            let path = folder.appendingPathComponent("PosedRehearsal").path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
            folder.deleteLastPathComponent()
        }
        return nil
    }

    /// Sends a signal.
    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Reads the log up to the first line with a text; nil where it ends before.
    func line(with text: String) -> String? {
        while true {
            while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeSubrange(...end)
                if line.contains(text) { return line }
            }
            let more = errors.availableData
            if more.isEmpty { return nil }
            buffer += more
        }
    }

    /// How the process ended: its exit status, or minus the signal that killed it.
    func wait() -> Int32 {
        process.waitUntilExit()
        let status = process.terminationStatus
        return process.terminationReason == .exit ? status : -status
    }
}

/// The process as a service manager sees it, with the tools that come with systemd.
@Suite("The process", .serialized, .timeLimit(.minutes(10)))
struct RehearsalTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func configuration(_ yaml: String = "") throws -> String {
        try folder.write("model: {folder: \(folder.path)}\nhttp: {address: none}\n" + yaml)
    }

    private static let activate = "/usr/bin/systemd-socket-activate"
    private static let notify = "/usr/bin/systemd-notify"

    @Test(
        "notifies as systemd's own tool does",
        .enabled(if: FileManager.default.isExecutableFile(atPath: notify)))
    func notification() async throws {
        try await onThread {
            let sink = try NotifySink(abstract: true)
            let tool = Process()
            tool.executableURL = URL(fileURLWithPath: Self.notify)
            tool.arguments = ["--no-block", "--ready", "--status=Serving"]
            tool.environment = ["NOTIFY_SOCKET": sink.address]
            try tool.run()
            tool.waitUntilExit()
            let theirs = try #require(sink.receive()?.text)

            let process = try RehearsalProcess(
                file: try configuration(), environment: ["NOTIFY_SOCKET": sink.address])
            var ours: String?
            repeat { ours = sink.receive()?.text } while ours?.hasPrefix("READY") == false
            #expect(ours?.split(separator: "\n") == theirs.split(separator: "\n"))
            process.signal(SIGTERM)
            #expect(sink.receive()?.text == "STOPPING=1\nSTATUS=Draining\n")
            #expect(process.wait() == 0)
        }
    }

    @Test(
        "is activated by systemd's own tool",
        .enabled(if: FileManager.default.isExecutableFile(atPath: activate)))
    func activation() async throws {
        try await onThread {
            let socket = folder.path + "/posed.sock"
            let process = try RehearsalProcess(
                [Self.activate, "--listen=\(socket)", "--fdname=posed.socket"],
                file: try configuration())
            _ = try #require(process.line(with: "Listening on"))
            #expect(TCPExchange.run(path: socket) == "rehearsal posed.socket\n")
            #expect(TCPExchange.run(path: socket) == "rehearsal posed.socket\n")
            process.signal(SIGTERM)
            #expect(process.wait() == 0)
        }
    }

    @Test("feeds a watchdog, and lets it bite when the compute loop hangs")
    func watchdog() async throws {
        try await onThread {
            let sink = try NotifySink(abstract: true)
            let file = try configuration()
            let environment = ["NOTIFY_SOCKET": sink.address, "WATCHDOG_USEC": "400000"]
            let healthy = try RehearsalProcess(file: file, environment: environment)
            var fed = 0
            while fed < 3, let message = sink.receive() {
                if message.text == "WATCHDOG=1\n" { fed += 1 }
            }
            #expect(fed == 3)
            healthy.signal(SIGTERM)
            #expect(healthy.wait() == 0)
            while sink.receive()?.text.hasPrefix("STATUS=Drained") == false {}

            let stuck = try RehearsalProcess(
                file: file, environment: environment.merging(["REHEARSAL_STALL": "1"]) { $1 })
            // The log says that it saw the loop stand still twice; nothing had been fed by then.
            #expect(stuck.line(with: "stands still")?.contains("watchdog=\"not fed\"") == true)
            stuck.signal(SIGTERM)
            #expect(stuck.wait() == 0)
            var said: [String] = []
            while let message = sink.receive()?.text {
                said.append(message)
                if message.hasPrefix("STATUS=Drained") { break }
            }
            #expect(said.contains { $0.hasPrefix("READY=1") })
            #expect(!said.contains("WATCHDOG=1\n"))
        }
    }

    @Test("ends with what happened: drain expired, told twice, refused, failed")
    func exits() async throws {
        try await onThread {
            let never = ["REHEARSAL_DRAIN": "never"]
            let expired = try RehearsalProcess(
                file: try configuration("shutdown: {drainTimeout: 10ms}\n"), environment: never)
            _ = expired.line(with: "Serving")
            expired.signal(SIGTERM)
            #expect(expired.line(with: "The drain time ran out") != nil)
            #expect(expired.wait() == 75)

            let twice = try RehearsalProcess(file: try configuration(), environment: never)
            _ = twice.line(with: "Serving")
            twice.signal(SIGINT)
            _ = twice.line(with: "SIGINT; draining")
            twice.signal(SIGTERM)
            #expect(twice.wait() == 143)

            let refused = try RehearsalProcess(file: try configuration("limits: {maxNfe: 0}\n"))
            #expect(refused.line(with: "posed.yaml:3: limits.maxNfe should be") != nil)
            #expect(refused.wait() == 78)

            let leaked = try RehearsalProcess(
                file: try configuration(), environment: ["WATCHDOG_USEC": "soon"])
            #expect(leaked.line(with: "WATCHDOG_USEC should be") != nil)
            #expect(leaked.wait() == 1)

            let taken = try RehearsalProcess(
                file: try configuration(),
                environment: ["POSED_HTTP_ADDRESS": "192.0.2.1:1"])
            let sentence =
                "http.address should be one to listen on; 192.0.2.1:1 is not: "
                + "Cannot assign requested address"
            #expect(taken.line(with: sentence) != nil)
            #expect(taken.wait() == 1)
        }
    }

    @Test("reloads on SIGHUP, and writes for the journal where the journal listens")
    func reload() async throws {
        try await onThread {
            let file = try configuration()
            let process = try RehearsalProcess(
                file: file,
                environment: [
                    "POSED_LOG_FORMAT": "journal", "LISTEN_PID": "1", "POSED_SERVICE_PORT": "80",
                ])
            #expect(process.line(with: "POSED_SERVICE_PORT")?.hasPrefix("<4>posed: ") == true)
            #expect(process.line(with: "Serving") == "<5>posed: Serving")
            _ = try configuration("limits: {maxNfe: 0}\n")
            process.signal(SIGHUP)
            #expect(process.line(with: "limits.maxNfe")?.hasPrefix("<3>posed: ") == true)
            #expect(process.line(with: "the old configuration stays") != nil)
            _ = try configuration("limits: {maxNfe: 9}\n")
            process.signal(SIGHUP)
            #expect(process.line(with: "changed limits.maxNfe")?.hasPrefix("<5>posed: ") == true)
            process.signal(SIGTERM)
            #expect(process.wait() == 0)
        }
    }
}

/// Runs what blocks on a thread of its own, so that no other test waits for it.
private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation {
        (continuation: CheckedContinuation<Void, any Error>) in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}
