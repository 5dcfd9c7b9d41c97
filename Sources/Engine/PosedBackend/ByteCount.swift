/// Numbers of bytes as people write them.
package enum ByteCount {
    private static let units: [(name: String, size: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000),
        ("B", 1),
    ]

    /// A number of bytes; nil for a text that is none, or one that is not whole.
    package static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let first = digits.first, first != ".", digits.last != "." else { return nil }
        let size = unit.isEmpty ? 1 : units.first { $0.name == unit }?.size
        guard let size else { return nil }
        if let whole = Int(digits) {
            let (bytes, overflow) = whole.multipliedReportingOverflow(by: size)
            return overflow ? nil : bytes
        }
        guard let number = Double(digits) else { return nil }
        return Int(exactly: number * Double(size))
    }

    /// The number with the largest binary unit that leaves it whole.
    package static func text(_ bytes: Int) -> String {
        for unit in units.prefix(4) where bytes >= unit.size && bytes % unit.size == 0 {
            return "\(bytes / unit.size)\(unit.name)"
        }
        return String(bytes)
    }
}
