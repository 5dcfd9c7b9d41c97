/// The values of all settings, each with where it came from.
package struct SettingValues: Sendable {
    /// A value and its source.
    struct Entry: Sendable {
        var value: any Sendable
        var text: String
        var origin: String
    }

    private var entries: [String: Entry] = [:]

    /// The defaults of all settings.
    package init() {}

    /// The value of a setting: its default where nobody said one.
    package subscript<Value>(setting: Setting<Value>) -> Value {
        entries[setting.key].flatMap { $0.value as? Value } ?? setting.initial
    }

    /// The value of a setting as a file writes it.
    package func text(_ setting: any AnySetting) -> String {
        entries[setting.key]?.text ?? setting.initialText
    }

    /// Where the value came from: a file and its line, a variable, a flag, or `default`.
    package func origin(_ setting: any AnySetting) -> String {
        entries[setting.key]?.origin ?? "default"
    }

    mutating func set(_ setting: any AnySetting, to value: any Sendable, origin: String) {
        entries[setting.key] = Entry(value: value, text: setting.text(value), origin: origin)
    }

    /// A copy in which one setting has another value, as a test or an embedding program wants it.
    package func with<Value>(_ setting: Setting<Value>, _ value: Value) -> SettingValues {
        var copy = self
        copy.set(setting, to: value, origin: "code")
        return copy
    }

    /// The settings whose values differ from those of `other`.
    package func changes(from other: SettingValues) -> [any AnySetting] {
        Settings.all.filter { text($0) != other.text($0) }
    }
}
