import Foundation
import PosedTesting

/// The built client, run as scripts run it.
enum PosectlProcess {
    /// Runs `posectl`; `started` is told the number of the process.
    static func run(
        _ arguments: [String], input: String = "",
        started: @escaping @Sendable (Int32) -> Void = { _ in }
    ) async throws -> BuiltProgram.Outcome {
        try await BuiltProgram.run("posectl", arguments, input: input, started: started)
    }

    /// Runs `body` with the path of an empty folder that is gone afterwards.
    static func withFolder(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "posectl-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }
}
