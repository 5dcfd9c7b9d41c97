import Foundation

/// The built client, run as scripts run it.
enum PosectlProcess {
    /// What a run came to.
    struct Outcome: Sendable {
        let status: Int32
        let output: Data
        let errors: String

        /// stdout as text.
        var text: String { String(decoding: output, as: UTF8.self) }

        /// stdout as a JSON object.
        var object: [String: Any] {
            get throws {
                try JSONSerialization.jsonObject(with: output) as? [String: Any] ?? [:]
            }
        }
    }

    /// Runs the `posectl` beside the test bundle, on a thread of its own; `started` is told its number.
    static func run(
        _ arguments: [String], input: String? = nil,
        started: @escaping @Sendable (Int32) -> Void = { _ in }
    ) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result { try perform(arguments, input: input, started: started) })
            }
        }
    }

    private static func perform(
        _ arguments: [String], input: String?, started: (Int32) -> Void
    ) throws -> Outcome {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent()
            .appendingPathComponent("posectl")
        process.arguments = arguments
        let (output, errors, text) = (Pipe(), Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        process.standardInput = text
        try process.run()
        started(process.processIdentifier)
        text.fileHandleForWriting.write(Data((input ?? "").utf8))
        try text.fileHandleForWriting.close()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let complaints = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: data,
            errors: String(decoding: complaints, as: UTF8.self))
    }

    /// Runs `body` with the path of an empty folder that is gone afterwards.
    static func withFolder(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "posectl-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }
}
