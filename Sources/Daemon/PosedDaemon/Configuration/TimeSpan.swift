internal import PosedBase

/// Spans of time as people write them.
enum TimeSpan {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// A span such as `90s` or `1h30m`; nil for a text that is none. A number needs its unit.
    static func parse(_ text: String) -> Duration? {
        var rest = Substring(text)
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let number = Int64(digits), let unit = units.first(where: { $0.name == name })
            else { return nil }
            let (part, large) = number.multipliedReportingOverflow(by: unit.milliseconds)
            let (sum, larger) = total.addingReportingOverflow(part)
            guard !large, !larger else { return nil }
            total = sum
        }
        return .milliseconds(total)
    }

    /// The span with the largest unit that leaves it whole.
    static func text(_ span: Duration) -> String {
        let milliseconds = span.wholeMilliseconds
        guard milliseconds > 0 else { return "0s" }
        for unit in units where milliseconds % unit.milliseconds == 0 {
            return "\(milliseconds / unit.milliseconds)\(unit.name)"
        }
        return "\(milliseconds)ms"
    }
}
