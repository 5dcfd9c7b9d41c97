import Foundation
import PosedTesting
import Testing

/// A folder in which the stand-in for NVIDIA's libraries has their names, and the processes that are
/// pointed to it.
struct StandIn {
    /// Everything of CUDA 13.
    static let libraries = ["libcuda.so.1", "libnvrtc.so.13", "libcublasLt.so.13"]

    /// Where the names are.
    let folder: URL
    /// What the processes find in their environment.
    var environment: [String: String] = [:]

    /// Runs `body` with a folder that has these names, each a link to the stand-in or to the file given.
    static func with<Result>(
        _ names: [String] = libraries, instead: [String: String] = [:],
        _ environment: [String: String] = [:], _ body: (StandIn) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-cuda-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in names {
            let file = instead[name] ?? "libposed-cuda-stand-in.so"
            try FileManager.default.createSymbolicLink(
                at: folder.appendingPathComponent(name),
                withDestinationURL: BuiltProgram.folder.appendingPathComponent(file))
        }
        var standIn = StandIn(folder: folder)
        standIn.environment = [
            "POSED_CUDA_PATH": folder.path, "POSED_CUDA_SEARCH": "named",
            "POSED_STANDIN_CACHE": BuiltProgram.folder.appendingPathComponent("cuda-stand-in-cache")
                .path,
            "XDG_CACHE_HOME": folder.appendingPathComponent("cache").path,
        ].merging(environment) { $1 }
        return try await body(standIn)
    }

    /// Variables of the machine that would lead the processes past the stand-in.
    private static let dropped = ["CUDA_HOME", "CUDA_PATH", "CACHE_DIRECTORY"]

    /// A program that is pointed to the stand-in, not started yet.
    func process(_ name: String, _ arguments: [String]) -> Process {
        BuiltProgram.process(
            name, arguments, environment: environment, dropped: Self.dropped)
    }

    /// Runs a program that is pointed to the stand-in.
    func run(_ name: String, _ arguments: [String]) async throws -> BuiltProgram.Outcome {
        try await BuiltProgram.run(
            name, arguments, environment: environment, dropped: Self.dropped)
    }

    /// What `posekit backends list` says of the backend.
    func listed() async throws -> [String: Any] {
        let rows = try await run("posekit", ["backends", "list", "--json"]).object["backends"]
        let cuda = (rows as? [[String: Any]])?.first { $0["name"] as? String == "cuda" }
        return try #require(cuda)
    }

    /// Runs a tool; how often each entry point of the driver, and each kind of work, was called by it.
    func counted(
        _ tool: String, _ arguments: [String]
    ) async throws -> (outcome: BuiltProgram.Outcome, calls: [String: Int]) {
        var standIn = self
        let report = folder.appendingPathComponent("calls-\(UUID().uuidString)").path
        standIn.environment["POSED_STANDIN_REPORT"] = report
        let outcome = try await standIn.run(tool, arguments)
        let lines = try String(contentsOfFile: report, encoding: .utf8).split(separator: "\n")
        var calls: [String: Int] = [:]
        for line in lines {
            guard let space = line.firstIndex(of: " ") else { continue }
            calls[String(line[line.index(after: space)...])] = Int(line[..<space])
        }
        return (outcome, calls)
    }

    /// Its sentence on the backend.
    func summary() async throws -> String { try #require(try await listed()["summary"] as? String) }
}
