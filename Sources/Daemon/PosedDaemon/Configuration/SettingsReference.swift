/// What all settings are and do, written for people from the settings themselves, so that it is never wrong.
package enum SettingsReference {
    /// A configuration file in which every setting is explained, and commented out with its default.
    package static func example() -> String {
        var lines = [
            "# Configuration of posed. What is commented out shows its default. Variables and flags win",
            "# over this file: POSED_LIMITS_SESSIONS=8, or --set limits.sessions=8.",
            "# posed --config FILE --check-config says what the daemon makes of it all.",
        ]
        for section in Settings.sections {
            lines += ["", "# \(section.title)", "\(section.prefix):"]
            var folders: [Substring] = []
            for setting in Settings.all where setting.key.hasPrefix(section.prefix + ".") {
                let path = setting.key.split(separator: ".")
                let inner = path.dropFirst().dropLast()
                for (depth, folder) in inner.enumerated() {
                    if depth >= folders.count || folders[depth] != folder {
                        lines.append(indent(depth + 1) + "\(folder):")
                    }
                }
                folders = Array(inner)
                let space = indent(path.count - 1)
                lines += wrapped(setting.summary, prefix: space + "# ")
                lines += wrapped("Value: \(setting.expectation).", prefix: space + "# ")
                lines.append("\(space)# \(path.last ?? ""): \(setting.initialText)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A row of the documentation's table for every setting: key, value, default, when a change takes
    /// effect, and what it does.
    package static func table() -> String {
        let head = [
            "| key | value | default | change | what it does |", "| --- | --- | --- | --- | --- |",
        ]
        let rows = Settings.all.map { setting in
            let value = setting.expectation.replacing("|", with: "\\|")
            return
                "| `\(setting.key)` | \(value) | `\(setting.initialText)` | \(setting.change.rawValue) "
                + "| \(setting.summary) |"
        }
        return (head + rows).joined(separator: "\n")
    }

    private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

    /// A text in lines of 100 columns.
    private static func wrapped(_ text: String, prefix: String) -> [String] {
        var lines: [String] = []
        var line = prefix
        for word in text.split(separator: " ") {
            if line.count + word.count > 100, line != prefix {
                lines.append(String(line.dropLast()))
                line = prefix
            }
            line += word + " "
        }
        return lines + [String(line.dropLast())]
    }
}
