internal import Logging

extension LogFormat {
    /// A record as one line, without its end. Whatever the record holds, the line has no control
    /// characters: a request cannot forge a second line, nor speak to a terminal.
    package func line(_ record: LogRecord) -> String {
        switch self {
        case .journal:
            return "<\(record.level.priority)>" + Self.sentence(record)
        case .text:
            return "\(record.time) \(Self.padded(record.level)) " + Self.sentence(record)
        case .terminal:
            let level = "\u{1B}[\(Self.colour(record.level))m\(Self.padded(record.level))\u{1B}[0m"
            return "\(record.time) \(level) " + Self.sentence(record)
        case .json:
            return Self.object(record)
        }
    }

    private static func sentence(_ record: LogRecord) -> String {
        var line = escaped(record.label) + ": " + escaped(record.message)
        for (key, value) in record.metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(escaped(key))=\(word(value.description))"
        }
        return line
    }

    /// A value as one word: in quotes where it would not read as one otherwise.
    private static func word(_ text: String) -> String {
        let bare = text.utf8.allSatisfy { byte in
            byte > 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
        }
        if bare, !text.isEmpty { return escaped(text) }
        return "\"" + escaped(text, quotes: true) + "\""
    }

    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\"" where quotes: result += "\\\""
            case "\\" where quotes: result += "\\\\"
            case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// C0, DEL, C1, and the separators that some readers take for ends of lines.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
            || scalar.value == 0x2029
    }

    private static func padded(_ level: Logger.Level) -> String {
        let name = level.rawValue
        return name + String(repeating: " ", count: max(0, 8 - name.count))
    }

    private static func colour(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "2"
        case .info: "32"
        case .notice: "36"
        case .warning: "33"
        case .error: "31"
        case .critical: "1;31"
        }
    }
}
