/// The unguessable part of a session's name: 128 random bits as 26 letters and digits.
///
/// The first letter stands for three bits and each of the others for five, so it is always a letter,
/// and every id has one spelling.
package struct SessionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number of letters and digits.
    static let length = 26
    /// What stands before the id in a session's name.
    static let collection = "sessions/"
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    private let bits: UInt128

    /// An id with these bits.
    init(bits: UInt128) { self.bits = bits }

    /// A new id, from the system's generator of random numbers that no one can predict.
    package static func random() -> SessionID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// A new id, as unguessable as the generator's numbers.
    package static func random(using generator: inout some RandomNumberGenerator) -> SessionID {
        SessionID(bits: UInt128(generator.next()) << 64 | UInt128(generator.next()))
    }

    /// The id that is written so; nil for anything that is no id.
    package init?(_ text: some StringProtocol) {
        let letters = Array(text.utf8)
        guard letters.count == Self.length else { return nil }
        var bits: UInt128 = 0
        for (position, letter) in letters.enumerated() {
            let value: UInt8
            switch letter {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = letter - UInt8(ascii: "a")
            case UInt8(ascii: "2")...UInt8(ascii: "7"): value = letter - UInt8(ascii: "2") + 26
            default: return nil
            }
            guard position > 0 || value < 8 else { return nil }
            bits = bits << 5 | UInt128(value)
        }
        self.bits = bits
    }

    /// The id in a name like `sessions/…`; nil for anything else.
    package init?(name: some StringProtocol) {
        guard name.hasPrefix(Self.collection) else { return nil }
        self.init(name.dropFirst(Self.collection.count))
    }

    /// The session's name, `sessions/…`.
    package var name: String { Self.collection + description }

    /// The 26 letters and digits.
    package var description: String {
        let letters = (0..<Self.length).map { position in
            Self.alphabet[Int(truncatingIfNeeded: bits >> UInt128(5 * (25 - position))) & 31]
        }
        return String(decoding: letters, as: UTF8.self)
    }

    package static func < (left: SessionID, right: SessionID) -> Bool { left.bits < right.bits }
}
