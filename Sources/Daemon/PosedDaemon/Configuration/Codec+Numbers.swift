import PosedBackend

extension Codec<Int> {
    /// Whole numbers of a range.
    package static func integer(_ range: ClosedRange<Int>) -> Codec {
        .scalar(
            "a whole number from \(range.lowerBound) to \(range.upperBound)",
            read: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } },
            write: { String($0) })
    }

    /// Numbers of bytes of a range: `65536`, `64KiB`, `1.5GiB`.
    package static func bytes(_ range: ClosedRange<Int>) -> Codec {
        .scalar(
            "a number of bytes such as 64MiB, from \(ByteCount.text(range.lowerBound)) to "
                + ByteCount.text(range.upperBound),
            read: { text in ByteCount.parse(text).flatMap { range.contains($0) ? $0 : nil } },
            write: ByteCount.text)
    }

    /// Permissions of a file, in octal: `0660`.
    package static var mode: Codec {
        .scalar(
            "a file mode in octal such as 0660, from 0000 to 0777",
            read: { text in
                guard (3...4).contains(text.utf8.count), let mode = Int(text, radix: 8),
                    (0...0o777).contains(mode)
                else { return nil }
                return mode
            },
            write: { mode in
                let digits = String(mode, radix: 8)
                return "\"" + String(repeating: "0", count: 4 - digits.count) + digits + "\""
            })
    }
}

extension Codec<Double> {
    /// Numbers of a range.
    package static func number(_ range: ClosedRange<Double>) -> Codec {
        .scalar(
            "a number from \(text(range.lowerBound)) to \(text(range.upperBound))",
            read: { text in
                Double(text).flatMap { $0.isFinite && range.contains($0) ? $0 : nil }
            },
            write: text)
    }

    private static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}

extension Codec<Bool> {
    /// `true` or `false`. YAML's older words are not taken: what `no` means should not be a riddle.
    package static var flag: Codec {
        .scalar("true or false", read: { Bool($0) }, write: { String($0) })
    }
}

extension Codec<Duration> {
    /// Spans of time of a range: `250ms`, `30s`, `5m`, `2h`, `7d`, and sums such as `1h30m`.
    package static func duration(_ range: ClosedRange<Duration>) -> Codec {
        .scalar(
            "a duration such as 250ms, 30s, 5m or 2h, from \(TimeSpan.text(range.lowerBound)) to "
                + TimeSpan.text(range.upperBound),
            read: { text in TimeSpan.parse(text).flatMap { range.contains($0) ? $0 : nil } },
            write: TimeSpan.text)
    }
}
