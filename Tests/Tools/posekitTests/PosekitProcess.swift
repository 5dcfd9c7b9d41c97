import Foundation
import PosedTesting
import Testing

/// The built tool, run as scripts run it.
struct PosekitProcess {
    /// What a run came to.
    struct Outcome {
        let status: Int32
        let output: Data
        let errors: String

        /// The lines on stderr.
        var complaints: [Substring] { errors.split(separator: "\n") }

        /// stdout as a JSON object.
        var object: [String: Any] {
            get throws {
                try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any])
            }
        }
    }

    /// Starts the `posekit` beside the test bundle, whose output nobody reads.
    static func start(_ arguments: [String]) throws -> Process {
        let process = try make(arguments)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private static func make(_ arguments: [String]) throws -> Process {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent()
            .appendingPathComponent("posekit")
        process.arguments = arguments
        return process
    }

    /// Runs the `posekit` beside the test bundle, with `environment` added to this process's.
    static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Outcome {
        let process = try make(arguments)
        if !environment.isEmpty {
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        }
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: data,
            errors: String(decoding: text, as: UTF8.self))
    }

    /// The path of a golden.
    static func golden(_ path: String) -> String { Goldens.url(path).path }

    /// Runs `body` with the path of an empty folder that is gone afterwards.
    static func withFolder<R>(_ body: (String) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("posekit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder.path)
    }
}
