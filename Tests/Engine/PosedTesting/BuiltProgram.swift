package import Foundation

/// The programs that are built beside the test bundle, run as scripts run them.
package enum BuiltProgram {
    /// What a run came to.
    package struct Outcome: Sendable {
        /// The exit status.
        package let status: Int32
        /// stdout.
        package let output: Data
        /// stderr.
        package let errors: String

        /// stdout as text.
        package var text: String { String(decoding: output, as: UTF8.self) }

        /// The lines on stderr.
        package var complaints: [Substring] { errors.split(separator: "\n") }

        /// stdout as a JSON object; empty where it is another value.
        package var object: [String: Any] {
            get throws {
                try JSONSerialization.jsonObject(with: output) as? [String: Any] ?? [:]
            }
        }
    }

    /// The folder that holds the test bundle, the plugins and the programs.
    package static let folder: URL = {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: own ?? "/").deletingLastPathComponent()
    }()

    /// Programs that compute run two at a time.
    private static let computing: OperationQueue = {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 2
        return queue
    }()

    /// A program that has not started yet.
    ///
    /// - Parameters:
    ///   - environment: variables beside those of this process.
    ///   - dropped: variables of this process that it does not get.
    package static func process(
        _ name: String, _ arguments: [String], environment: [String: String] = [:],
        dropped: [String] = []
    ) -> Process {
        let process = Process()
        process.executableURL = folder.appendingPathComponent(name)
        process.arguments = arguments
        var own = ProcessInfo.processInfo.environment
        for name in dropped { own[name] = nil }
        process.environment = own.merging(environment) { $1 }
        return process
    }

    /// Runs a program to its end. The caller waits without a thread: tests share few, and one that blocks its thread
    /// stops the tests of servers beside it.
    ///
    /// - Parameters:
    ///   - input: what it finds on stdin.
    ///   - started: is told the number of the process.
    package static func run(
        _ name: String, _ arguments: [String], environment: [String: String] = [:],
        dropped: [String] = [], input: String = "",
        started: @escaping @Sendable (Int32) -> Void = { _ in }
    ) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            let work: @Sendable () -> Void = {
                continuation.resume(
                    with: Result {
                        let process = process(
                            name, arguments, environment: environment, dropped: dropped)
                        return try perform(process, input: input, started: started)
                    })
            }
            // A client computes nothing, and its server may be a test's.
            if name == "posectl" {
                Thread.detachNewThread(work)
            } else {
                computing.addOperation(work)
            }
        }
    }

    private static func perform(
        _ process: Process, input: String, started: (Int32) -> Void
    ) throws -> Outcome {
        let (output, errors, text) = (Pipe(), Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        process.standardInput = text
        try process.run()
        started(process.processIdentifier)
        if !input.isEmpty { try text.fileHandleForWriting.write(contentsOf: Data(input.utf8)) }
        try text.fileHandleForWriting.close()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let complaints = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: data,
            errors: String(decoding: complaints, as: UTF8.self))
    }
}
