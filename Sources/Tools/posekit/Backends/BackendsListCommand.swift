import ArgumentParser
import Foundation
import PosedBackend

/// `posekit backends list`: every plugin found, and why those that cannot be used cannot.
struct BackendsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List every backend found, the best first.",
        discussion: """
            EXAMPLES
              posekit backends list
              posekit backends list --json
              posekit backends list --path /opt/posed/backends
            """)

    @Option(help: "A folder to look for backends in before all others.")
    var path: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let registry = try BackendRegistry.discover(.standard(explicit: path))
        guard json else { return print(Self.table(registry)) }
        let rows = registry.entries.map(BackendRow.init)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(["backends": rows]), as: UTF8.self))
    }

    private static func table(_ registry: BackendRegistry) -> String {
        guard !registry.entries.isEmpty else { return "No backend was found." }
        let width = registry.entries.map(\.name.count).max() ?? 0
        return registry.entries.map { entry in
            let name = entry.name.padding(toLength: width, withPad: " ", startingAt: 0)
            let usable = entry.report.status == .usable
            let score = usable ? "\(entry.report.score)" : "–"
            let right = String(repeating: " ", count: max(0, 4 - score.count)) + score
            return "\(name) \(right)  \(entry.report.summary)"
        }.joined(separator: "\n")
    }
}

/// A line of `backends list --json`.
private struct BackendRow: Encodable {
    var name: String
    var path: String
    var status: String
    var score: Int
    var devices: Int
    var version: String
    var summary: String

    init(_ entry: BackendRegistry.Entry) {
        name = entry.name
        path = entry.file.path
        status = entry.report.status.rawValue
        score = entry.report.score
        devices = entry.report.devices
        version = entry.report.version
        summary = entry.report.summary
    }
}
