import Foundation
import PosedTesting

/// The built tool, run as scripts run it.
enum PosekitProcess {
    /// Starts `posekit`, whose output nobody reads.
    static func start(_ arguments: [String]) throws -> Process {
        let process = BuiltProgram.process("posekit", arguments)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs `posekit`, with `environment` added to this process's.
    static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> BuiltProgram.Outcome {
        try await BuiltProgram.run("posekit", arguments, environment: environment)
    }

    /// The path of a golden.
    static func golden(_ path: String) -> String { Goldens.url(path).path }

    /// Runs `body` with the path of an empty folder that is gone afterwards.
    static func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("posekit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder.path)
    }
}
