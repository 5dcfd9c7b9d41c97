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

    /// A key that was just computed.
    init(digest: [UInt8]) { bytes = digest }

    /// A key written as 64 small hexadecimal digits; nil for anything else.
    package init?(hexadecimal text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 2 * Self.byteCount else { return nil }
        func value(_ digit: UInt8) -> UInt8? {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
            default: nil
            }
        }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

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
