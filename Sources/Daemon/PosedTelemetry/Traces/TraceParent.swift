package import Tracing

/// Where a span belongs, as W3C's Trace Context writes it: `00-TRACE-SPAN-FLAGS`.
package struct TraceParent: Hashable, Sendable {
    /// The trace: 16 bytes, not all 0.
    package let trace: [UInt8]
    /// The span: 8 bytes, not all 0.
    package let span: [UInt8]
    /// Whether the caller records the trace.
    package let isSampled: Bool

    /// A span as given.
    package init(trace: [UInt8], span: [UInt8], isSampled: Bool = true) {
        self.trace = trace
        self.span = span
        self.isSampled = isSampled
    }

    /// The span in a text; nil where the text is none, and for version 255, which is not allowed.
    package init?(parsing text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, let version = Self.bytes(parts[0], 1), version != [255],
            version != [0] || parts.count == 4, let trace = Self.bytes(parts[1], 16),
            let span = Self.bytes(parts[2], 8), let flags = Self.bytes(parts[3], 1),
            trace.contains(where: { $0 != 0 }), span.contains(where: { $0 != 0 })
        else { return nil }
        self.init(trace: trace, span: span, isSampled: flags[0] & 1 == 1)
    }

    /// The text.
    package var description: String {
        "00-\(Self.text(trace))-\(Self.text(span))-\(isSampled ? "01" : "00")"
    }

    /// Bytes in small hexadecimal digits.
    private static func bytes(_ text: Substring, _ count: Int) -> [UInt8]? {
        guard text.utf8.count == 2 * count,
            text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        let digits = Array(text)
        return (0..<count).compactMap { UInt8(String(digits[2 * $0...2 * $0 + 1]), radix: 16) }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension ServiceContext {
    private enum Key: ServiceContextKey {
        typealias Value = TraceParent
    }

    /// The span that work in this context belongs to.
    package var traceParent: TraceParent? {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }
}
