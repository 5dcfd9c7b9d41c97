/// Integers as bytes, the least significant first.
enum LittleEndian {
    /// The bytes of an integer.
    static func bytes<T: FixedWidthInteger & UnsignedInteger>(of value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    }

    /// The integer at a position; nil when the bytes end before it does.
    static func value<T: FixedWidthInteger & UnsignedInteger>(
        _ type: T.Type, in bytes: [UInt8], at offset: Int
    ) -> T? {
        let count = T.bitWidth / 8
        guard offset >= 0, count <= bytes.count, offset <= bytes.count - count else { return nil }
        return (0..<count).reduce(T.zero) { $0 | T(bytes[offset + $1]) << T($1 * 8) }
    }
}
