/// One key of the configuration: its name, what it may be, what it is when nobody says, and what it does.
package struct Setting<Value: Sendable & Equatable>: Sendable {
    /// The name, dots between sections: `sessions.maxCount`.
    package let key: String
    /// How values are read and written.
    package let codec: Codec<Value>
    /// The value when nobody says one.
    package let initial: Value
    /// Whether a reload may change it.
    package let change: Change
    /// What it does, in one sentence.
    package let summary: String

    /// A key from its parts.
    package init(
        _ key: String, _ codec: Codec<Value>, initial: Value, _ change: Change, _ summary: String
    ) {
        self.key = key
        self.codec = codec
        self.initial = initial
        self.change = change
        self.summary = summary
    }
}

/// When a change of a setting takes effect.
package enum Change: String, Sendable {
    /// With a reload.
    case reload
    /// With a restart; a reload that changes it is refused.
    case restart
}

/// A setting of any type, for whoever lists, documents or checks them all.
package protocol AnySetting: Sendable {
    /// The name, dots between sections.
    var key: String { get }
    /// Whether a reload may change it.
    var change: Change { get }
    /// What it does, in one sentence.
    var summary: String { get }
    /// What a value should be.
    var expectation: String { get }
    /// Whether values are lists.
    var isList: Bool { get }
    /// Whether values are paths.
    var isPath: Bool { get }
    /// The default, as a file writes it.
    var initialText: String { get }

    /// A value that was read; nil where it is not what it should be.
    func parse(_ raw: RawValue) -> (any Sendable)?
    /// A value of this setting as a file writes it.
    func text(_ value: any Sendable) -> String
}

extension Setting: AnySetting {
    package var expectation: String { codec.expectation }
    package var isList: Bool { codec.isList }
    package var isPath: Bool { codec.isPath }
    package var initialText: String { codec.write(initial) }

    package func parse(_ raw: RawValue) -> (any Sendable)? {
        codec.read(raw)
    }

    package func text(_ value: any Sendable) -> String {
        (value as? Value).map(codec.write) ?? initialText
    }
}

extension AnySetting {
    /// The variable that sets it: `POSED_SESSIONS_MAX_COUNT`.
    package var variable: String { Settings.variable(of: key) }
}

extension Settings {
    /// The variable that sets a key.
    static func variable(of key: String) -> String {
        var name = "POSED_"
        var previous: Character = "."
        for character in key {
            if character == "." {
                name += "_"
            } else {
                if character.isUppercase, previous.isLowercase { name += "_" }
                name += character.uppercased()
            }
            previous = character
        }
        return name
    }
}
