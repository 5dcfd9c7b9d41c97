import Foundation
import Testing

/// A folder in which the stand-in for NVIDIA's libraries has their names, and the processes that are
/// pointed to it.
struct StandIn {
    /// What a process came to.
    struct Outcome {
        let status: Int32
        let output: Data
        let errors: String

        /// stdout as a JSON object.
        var object: [String: Any] {
            get throws {
                try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any])
            }
        }
    }

    /// The folder that holds the test bundle, the plugins and the tools.
    static let build: URL = {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: own ?? "/").deletingLastPathComponent()
    }()

    /// Everything of CUDA 13.
    static let libraries = ["libcuda.so.1", "libnvrtc.so.13", "libcublasLt.so.13"]

    /// Where the names are.
    let folder: URL
    /// What the processes find in their environment.
    var environment: [String: String] = [:]

    /// Runs `body` with a folder that has these names, each a link to the stand-in or to the file given.
    static func with<Result>(
        _ names: [String] = libraries, instead: [String: String] = [:],
        _ environment: [String: String] = [:], _ body: (StandIn) throws -> Result
    ) throws -> Result {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-cuda-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in names {
            let file = instead[name] ?? "libposed-cuda-stand-in.so"
            try FileManager.default.createSymbolicLink(
                at: folder.appendingPathComponent(name),
                withDestinationURL: build.appendingPathComponent(file))
        }
        var standIn = StandIn(folder: folder)
        standIn.environment = [
            "POSED_CUDA_PATH": folder.path, "POSED_CUDA_SEARCH": "named",
            "POSED_STANDIN_CACHE": build.appendingPathComponent("cuda-stand-in-cache").path,
            "XDG_CACHE_HOME": folder.appendingPathComponent("cache").path,
        ].merging(environment) { $1 }
        return try body(standIn)
    }

    /// A tool beside the test bundle, not started yet.
    func process(_ tool: String, _ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = Self.build.appendingPathComponent(tool)
        process.arguments = arguments
        var own = ProcessInfo.processInfo.environment
        for name in ["CUDA_HOME", "CUDA_PATH", "CACHE_DIRECTORY"] { own[name] = nil }
        process.environment = own.merging(environment) { $1 }
        return process
    }

    /// Runs a tool beside the test bundle.
    func run(_ tool: String, _ arguments: [String]) throws -> Outcome {
        let process = process(tool, arguments)
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

    /// What `posekit backends list` says of the backend.
    func listed() throws -> [String: Any] {
        let rows = try run("posekit", ["backends", "list", "--json"]).object["backends"]
        let cuda = (rows as? [[String: Any]])?.first { $0["name"] as? String == "cuda" }
        return try #require(cuda)
    }

    /// Runs a tool; how often each entry point of the driver, and each kind of work, was called by it.
    func counted(
        _ tool: String, _ arguments: [String]
    ) throws -> (outcome: Outcome, calls: [String: Int]) {
        var standIn = self
        let report = folder.appendingPathComponent("calls-\(UUID().uuidString)").path
        standIn.environment["POSED_STANDIN_REPORT"] = report
        let outcome = try standIn.run(tool, arguments)
        let lines = try String(contentsOfFile: report, encoding: .utf8).split(separator: "\n")
        var calls: [String: Int] = [:]
        for line in lines {
            guard let space = line.firstIndex(of: " ") else { continue }
            calls[String(line[line.index(after: space)...])] = Int(line[..<space])
        }
        return (outcome, calls)
    }

    /// Its sentence on the backend.
    func summary() throws -> String { try #require(try listed()["summary"] as? String) }
}
