import PosedErrors

/// The rules for the texts that a client gives a session.
enum SessionText {
    static let greatestNameCharacters = 120
    static let greatestNameBytes = 1024
    static let greatestIDBytes = 63
    static let greatestRequestBytes = 64
    static let greatestLabels = 64
    static let greatestKeyBytes = 63
    static let greatestValueBytes = 256

    /// Throws `invalidArgument` unless a display name is short and of printable characters.
    static func checkDisplayName(_ name: String) throws(RequestError) {
        guard name.count <= greatestNameCharacters else {
            throw RequestError(
                .invalidArgument,
                "a display name has at most \(greatestNameCharacters) characters, but "
                    + "\(name.count) came", at: "display_name")
        }
        try checkPrintable(
            name, "a display name", atMost: greatestNameBytes, at: "display_name")
    }

    /// Throws `invalidArgument` unless an id that a client chose can stand in a name, and is none that the
    /// store might choose.
    static func checkChosenID(_ id: String) throws(RequestError) {
        guard isChosenID(id) else {
            throw RequestError(
                .invalidArgument,
                "an id is 1 to \(greatestIDBytes) small letters, digits and hyphens, the first a "
                    + "letter, the last no hyphen, but \(quoted(id)) came", at: "session_id")
        }
        guard SessionID(id) == nil else {
            throw RequestError(
                .invalidArgument, "\(quoted(id)) looks like an id that the daemon chose",
                at: "session_id")
        }
    }

    /// What stands behind `sessions/` in a session's name; nil for a text that is none.
    static func word(of name: String) -> String? {
        guard name.hasPrefix(SessionID.collection) else { return nil }
        let word = name.dropFirst(SessionID.collection.count)
        return SessionID(word) != nil || isChosenID(word) ? String(word) : nil
    }

    /// Whether a client may choose such an id.
    static func isChosenID(_ id: some StringProtocol) -> Bool {
        let letters = Array(id.utf8)
        let small = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return (1...greatestIDBytes).contains(letters.count) && small.contains(letters[0])
            && letters[letters.count - 1] != UInt8(ascii: "-")
            && letters.allSatisfy {
                small.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "-")
            }
    }

    /// Throws `invalidArgument` unless a client's name for a request is short and of printable ASCII.
    static func checkRequestID(_ id: String) throws(RequestError) {
        guard (1...greatestRequestBytes).contains(id.utf8.count),
            id.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw RequestError(
                .invalidArgument,
                "a request's id is 1 to \(greatestRequestBytes) printable ASCII characters, but "
                    + "\(quoted(id)) came", at: "request_id")
        }
    }

    /// Throws `invalidArgument` unless there are few labels, with plain keys and short values.
    static func checkLabels(_ labels: [String: String]) throws(RequestError) {
        guard labels.count <= greatestLabels else {
            throw RequestError(
                .invalidArgument,
                "a session has at most \(greatestLabels) labels, but \(labels.count) came",
                at: "labels")
        }
        for key in labels.keys.sorted() {
            guard isKey(key) else {
                throw RequestError(
                    .invalidArgument,
                    "a label's key is a small letter and up to \(greatestKeyBytes - 1) small "
                        + "letters, digits, \"-\", \"_\", \".\" or \"/\", but one is "
                        + quoted(key), at: "labels")
            }
            try checkPrintable(
                labels[key] ?? "", "the value of label \"\(key)\"", atMost: greatestValueBytes,
                at: "labels")
        }
    }

    private static func isKey(_ key: String) -> Bool {
        let letters = Array(key.utf8)
        guard (1...greatestKeyBytes).contains(letters.count) else { return false }
        let small = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return small.contains(letters[0])
            && letters.allSatisfy {
                small.contains($0) || digits.contains($0) || "-_./".utf8.contains($0)
            }
    }

    private static func checkPrintable(
        _ text: String, _ what: String, atMost limit: Int, at field: FieldPath
    ) throws(RequestError) {
        guard text.utf8.count <= limit else {
            throw RequestError(
                .invalidArgument,
                "\(what) has at most \(limit) bytes of UTF-8, but \(text.utf8.count) came",
                at: field)
        }
        let control = text.unicodeScalars.first { $0.properties.generalCategory == .control }
        if let control {
            throw RequestError(
                .invalidArgument,
                "\(what) has printable characters only, but has U+"
                    + String(control.value, radix: 16, uppercase: true), at: field)
        }
    }

    /// A client's text as it can be printed in a message: short, and without control characters.
    static func quoted(_ text: some StringProtocol) -> String {
        let short = text.unicodeScalars.prefix(80).map { $0.escaped(asASCII: false) }.joined()
        return "\"\(short)\"" + (text.unicodeScalars.count > 80 ? "…" : "")
    }
}
