import Foundation
import PosedBackend

/// The plugins that were built beside the tests.
enum Plugins {
    /// The folder that holds the test bundle, the plugins and posekit.
    static var folder: String {
        let executable = PluginSearchPath.runningExecutable ?? ""
        let search = PluginSearchPath.standard(environment: [:], executable: executable)
        return search.folders.first { !files(in: $0).isEmpty } ?? search.folders[0]
    }

    private static func files(in folder: String) -> [PluginFile] {
        PluginSearchPath(folders: [folder]).plugins()
    }

    /// The file of one plugin.
    static func file(_ name: String) throws -> PluginFile {
        try PluginFile(path: "\(folder)/libposed-backend-\(name).so")
    }

    /// A prober whose children see `POSED_CRASH_MODE` as `mode`.
    static func prober(
        crashMode mode: String = "sigill", timeLimit: Duration = .seconds(60)
    ) throws -> PluginProber {
        var environment = ProcessInfo.processInfo.environment
        environment["POSED_CRASH_MODE"] = mode
        return try PluginProber(
            helper: folder + "/posekit", timeLimit: timeLimit, environment: environment)
    }

    /// A folder of its own for `body`, gone afterwards; only its owner may write to it.
    static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }
}
