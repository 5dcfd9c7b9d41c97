import ArgumentParser
import Foundation
import PosedBackend
import PosedConformance

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
