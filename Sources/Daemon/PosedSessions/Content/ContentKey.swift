/// The name of something by its content: a SHA-256 digest of all that it depends on.
package struct ContentKey: Hashable, Sendable, CustomStringConvertible {
    /// The number of bytes of a digest.
    package static let byteCount = 32

    /// The digest.
    package let bytes: [UInt8]

    /// A key of 32 bytes; nil when there are more or fewer.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The key that is written so; nil for anything else than ``description``.
    package init?(_ text: some StringProtocol) {
        let digits = text.utf8.map { digit -> UInt8? in
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
            default: nil
            }
        }
        let values = digits.compactMap(\.self)
        guard digits.count == 2 * Self.byteCount, values.count == digits.count else { return nil }
        bytes = stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }

    /// A key that was just computed.
    init(digest: [UInt8]) { bytes = digest }

    /// 64 small hexadecimal digits.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    package func hash(into hasher: inout Hasher) {
        // A digest's first bytes are as random as all of them.
        for byte in bytes.prefix(8) { hasher.combine(byte) }
    }
}
