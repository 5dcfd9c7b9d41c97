/// What the daemon was told, checked: every value is in its range, and they agree with each other.
package struct DaemonConfiguration: Sendable {
    /// The values. Read them with ``subscript(_:)``.
    package let values: SettingValues
    /// The file that they came from, if any.
    package let file: String?
    /// What its operator should change some day, though it is understood: keys that an earlier version had.
    package let warnings: [ConfigurationProblem]

    /// A configuration of given values, unchecked: ``ConfigurationSource/load()`` checks.
    package init(
        values: SettingValues, file: String? = nil, warnings: [ConfigurationProblem] = []
    ) {
        self.values = values
        self.file = file
        self.warnings = warnings
    }

    /// The value of a setting.
    package subscript<Value>(setting: Setting<Value>) -> Value { values[setting] }

    /// What a reload to `next` would change.
    ///
    /// - Throws: ``DaemonError`` `.needsRestart`, naming every changed setting that a reload cannot change.
    package func changes(to next: DaemonConfiguration) throws(DaemonError) -> [String] {
        let changes = next.values.changes(from: values)
        let fixed = changes.filter { $0.change == .restart }
        guard fixed.isEmpty else {
            let named = fixed.map { setting in
                "\(setting.key) (\(values.text(setting)) to \(next.values.text(setting)), "
                    + "\(next.values.origin(setting)))"
            }
            throw DaemonError(
                .needsRestart,
                "a reload should change only what can change while the daemon runs; a restart is "
                    + "needed for \(named.joined(separator: ", "))")
        }
        return changes.map(\.key)
    }

    /// All settings as a file would write them, each with its source; those with a default are comments.
    package func report() -> String {
        var lines: [String] = []
        let width = Settings.all.map(\.key.count).max() ?? 0
        for setting in Settings.all {
            let origin = values.origin(setting)
            let key = setting.key + ":" + String(repeating: " ", count: width - setting.key.count)
            let line = "\(key) \(values.text(setting))"
            lines.append(origin == "default" ? "# \(line)" : "\(line)  # \(origin)")
        }
        return lines.joined(separator: "\n")
    }
}
