internal import Foundation
internal import PosedDaemon
internal import Testing

@Suite("The texts about the settings")
struct SettingsReferenceTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test("are what the settings say: the example, and the table of the documentation")
    func files() throws {
        // posed --example-config writes the one; the other is SettingsReference.table().
        #expect(try Self.text("systemd/posed.yaml") == SettingsReference.example())
        let documentation = try Self.text("docs/operations.md")
        for row in SettingsReference.table().split(separator: "\n") {
            #expect(documentation.contains(row), "\(row)")
        }
    }

    @Test("name every setting, in its section")
    func sections() {
        for setting in Settings.all {
            #expect(Settings.sections.contains { setting.key.hasPrefix($0.prefix + ".") })
        }
    }

    @Test("make a file that says the defaults, when its comments are taken away")
    func example() throws {
        let folder = try TemporaryFolder()
        let pattern = /^( *)# ([a-z]\w*: .*)$/
        let lines = SettingsReference.example().split(separator: "\n").map { line in
            line.wholeMatch(of: pattern).map { "\($0.1)\($0.2)" } ?? String(line)
        }
        let file = try folder.write(lines.joined(separator: "\n"))
        let source = ConfigurationSource(
            file: file, environment: ["POSED_MODEL_FOLDER": folder.path], flags: [])
        let configuration = try source.load()
        for setting in Settings.all where setting.key != "model.folder" {
            #expect(configuration.values.text(setting) == setting.initialText)
            #expect(configuration.values.origin(setting) != "default", "\(setting.key)")
        }
    }
}
