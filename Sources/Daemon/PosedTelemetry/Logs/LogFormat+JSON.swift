internal import Logging
internal import PosedBase

extension LogFormat {
    /// A record as a JSON object: `time`, `level`, `logger`, `message`, and `metadata` where there is some.
    static func object(_ record: LogRecord) -> String {
        var fields = [
            "\"time\":\(quoted(record.time.description))",
            "\"level\":\(quoted(record.level.rawValue))",
            "\"logger\":\(quoted(record.label))",
            "\"message\":\(quoted(record.message))",
        ]
        if !record.metadata.isEmpty {
            fields.append("\"metadata\":\(json(.dictionary(record.metadata)))")
        }
        return "{" + fields.joined(separator: ",") + "}"
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text):
            quoted(text)
        case .stringConvertible(let value):
            quoted(value.description)
        case .array(let values):
            "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let fields):
            "{"
                + fields.sorted { $0.key < $1.key }
                .map { "\(quoted($0.key)):\(json($0.value))" }.joined(separator: ",") + "}"
        }
    }

    /// A JSON string: quotes, backslashes, and every control character escaped.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        result.reserveCapacity(text.utf8.count + 2)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _
            where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                || scalar.value == 0x2028 || scalar.value == 0x2029:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
