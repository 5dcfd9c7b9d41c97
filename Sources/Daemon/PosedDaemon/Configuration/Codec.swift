/// How a value is read from text and written as text, and how its range is put in words.
package struct Codec<Value: Sendable>: Sendable {
    /// What a value should be, to go after "should be": `a whole number from 1 to 8`.
    package let expectation: String
    /// Whether values are lists, in a file `[a, b]` and elsewhere `a,b`.
    package let isList: Bool
    /// Whether values are paths: in flags, where there is a working directory, they may be relative to it.
    package let isPath: Bool
    /// A value read from its source; nil where it is not what it should be.
    package let read: @Sendable (RawValue) -> Value?
    /// A value as a file writes it.
    package let write: @Sendable (Value) -> String

    /// A codec from its parts.
    package init(
        _ expectation: String, isList: Bool = false, isPath: Bool = false,
        read: @escaping @Sendable (RawValue) -> Value?,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.expectation = expectation
        self.isList = isList
        self.isPath = isPath
        self.read = read
        self.write = write
    }

    /// A codec of values that are one text.
    package static func scalar(
        _ expectation: String, isPath: Bool = false,
        read: @escaping @Sendable (String) -> Value?,
        write: @escaping @Sendable (Value) -> String
    ) -> Codec {
        Codec(
            expectation, isPath: isPath,
            read: { raw in if case .scalar(let text) = raw { read(text) } else { nil } },
            write: write)
    }
}

extension Codec {
    /// Values that may be absent, written `none`.
    package static func optional<Wrapped: Sendable>(
        _ codec: Codec<Wrapped>
    ) -> Codec<Wrapped?> where Value == Wrapped? {
        Codec<Wrapped?>(
            codec.expectation + ", or none", isList: codec.isList, isPath: codec.isPath,
            read: { raw in
                // YAML's own words for nothing count too; without quotes they cannot be anything else.
                switch raw {
                case .scalar("none"), .scalar(""), .scalar("~"), .scalar("null"): .some(nil)
                default: codec.read(raw).map { .some($0) }
                }
            },
            write: { $0.map(codec.write) ?? "none" })
    }

    /// Lists of values.
    package static func list<Element: Sendable>(
        of codec: Codec<Element>, _ expectation: String
    ) -> Codec<[Element]> where Value == [Element] {
        Codec<[Element]>(
            expectation, isList: true, isPath: codec.isPath,
            read: { raw in
                switch raw {
                case .scalar(""), .scalar("none"): return []
                case .scalar: return codec.read(raw).map { [$0] }
                case .list(let texts):
                    let values = texts.compactMap { codec.read(.scalar($0)) }
                    return values.count == texts.count ? values : nil
                }
            },
            write: { "[" + $0.map(codec.write).joined(separator: ", ") + "]" })
    }
}
