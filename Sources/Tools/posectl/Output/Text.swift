import Foundation

/// Numbers, sizes and times as people read them.
package enum Text {
    /// A text on one line, without control characters.
    package static func line(_ text: String) -> String {
        let spaced = text.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(spaced).split(separator: " ").joined(separator: " ")
    }

    /// A number of so many decimals at most.
    package static func number(_ value: Double, decimals: Int = 1) -> String {
        guard value.isFinite else { return "–" }
        var unit = 1.0
        for _ in 0..<decimals { unit *= 10 }
        let rounded = (value * unit).rounded() / unit
        return rounded == rounded.rounded() && abs(rounded) < 1e15
            ? "\(Int(rounded))" : "\(rounded)"
    }

    /// A size in bytes with a unit that fits.
    package static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if abs(value) < 1024 { return "\(number(value)) \(unit)" }
            value /= 1024
        }
        return "\(number(value)) TiB"
    }

    /// A time in milliseconds, or in seconds where it is long.
    package static func milliseconds(_ value: Double) -> String {
        value < 10_000 ? "\(number(value)) ms" : "\(number(value / 1000)) s"
    }

    /// A span in its two largest units, such as `3 d 4 h`.
    package static func span(seconds: Double) -> String {
        var left = Int(max(0, min(seconds, 1e12)).rounded())
        var parts: [String] = []
        for (unit, name) in [(86400, "d"), (3600, "h"), (60, "min"), (1, "s")] {
            let count = left / unit
            left %= unit
            if count > 0 || (unit == 1 && parts.isEmpty) { parts.append("\(count) \(name)") }
            if parts.count == 2 { break }
        }
        return parts.joined(separator: " ")
    }

    /// A share in per cent; a dash of nothing.
    package static func share(_ part: Int64, of whole: Int64) -> String {
        whole == 0 ? "–" : "\(number(100 * Double(part) / Double(whole))) %"
    }
}

extension Duration {
    /// The duration in milliseconds.
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
    }

    /// The duration in seconds.
    var seconds: Double { milliseconds / 1000 }
}
