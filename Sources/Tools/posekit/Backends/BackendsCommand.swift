import ArgumentParser
import Foundation
import PosedBackend
import PosedConformance

/// `posekit backends`: what this machine can compute with.
struct BackendsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends",
        abstract: "List the compute backends of this machine, or test one.",
        discussion: """
            Backends are plugins, libposed-backend-NAME.so, found in --path, in POSED_BACKEND_PATH, \
            beside posekit, in ../lib/posed/backends seen from there, and in /usr/lib/posed/backends.

            EXAMPLES
              posekit backends list
              posekit backends test cpu
            """,
        subcommands: [BackendsListCommand.self, BackendsTestCommand.self],
        defaultSubcommand: BackendsListCommand.self)
}

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

/// `posekit backends test NAME`: the conformance suite, for authors of plugins.
struct BackendsTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Hold a backend to every promise of the plugin interface.",
        discussion: """
            Compares every operation, type and awkward shape with a plain reference, and tries what a \
            backend must refuse. The exit status is 0 only when nothing failed.

            EXAMPLES
              posekit backends test cpu
              posekit backends test cpu --filter attention --verbose
              posekit backends test cpu --json > report.json
            """)

    @Argument(
        help: "The backend's name, as in `posekit backends list`; cuda:1 is its second device.")
    var name: String

    @Option(help: "A folder to look for backends in before all others.")
    var path: String?

    @Option(help: "Run only the cases whose name contains this text.")
    var filter: String?

    @Flag(help: "Print every case, not only those that failed.")
    var verbose = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let registry = try BackendRegistry.discover(.standard(explicit: path))
        let selection = try BackendSelection(parsing: name)
        let plugin = try registry.plugin(for: selection)
        let report = try ConformanceSuite.run(
            plugin, index: selection.index, filter: filter
        ) { result in
            guard !json, verbose || result.outcome == .failed else { return }
            print(Self.line(result))
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            print(Self.summary(report))
        }
        if !report.passed { throw ExitCode.failure }
    }

    private static func line(_ result: ConformanceResult) -> String {
        let error = result.error.map { String(format: " %.2e", $0) } ?? ""
        let message = result.message.map { ": \($0)" } ?? ""
        return "\(result.outcome.rawValue)\(error)  \(result.name)\(message)"
    }

    private static func summary(_ report: ConformanceReport) -> String {
        let counts = [ConformanceResult.Outcome.passed, .failed, .skipped].map {
            "\(report.results($0).count) \($0.rawValue)"
        }
        return "\(report.backend), \(report.device) (\(report.numerics)): "
            + counts.joined(separator: ", ")
    }
}

/// `posekit probe-backend PATH`: the child process in which a plugin is tried out. Not for people.
struct ProbeBackendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ProbeChild.command, abstract: "Probe one backend plugin.",
        shouldDisplay: false)

    @Argument(help: "The plugin's file.")
    var path: String

    func run() { ProbeChild.run(path: path) }
}
