/// The headers of a call: an ordered list of keys and values in which a key may occur several times.
///
/// Keys are lower-case letters, digits, `-`, `_` and `.`. A key that ends in `-bin` carries any
/// bytes, all others printable ASCII. Keys beginning with `grpc-` belong to the protocol.
package struct Metadata: Sendable, Hashable {
    /// What stands behind a key.
    package enum Value: Sendable, Hashable {
        /// Printable ASCII.
        case text(String)
        /// Any bytes; the key ends in `-bin`.
        case bytes([UInt8])
    }

    /// One key and its value.
    package struct Entry: Sendable, Hashable {
        package let key: String
        package let value: Value
    }

    /// All entries, in the order in which they were added or came.
    package private(set) var entries: [Entry] = []

    package init() {}

    /// Whether there is nothing in it.
    package var isEmpty: Bool { entries.isEmpty }

    /// The first text behind `key`, which may be written in any case.
    package subscript(key: String) -> String? {
        let key = key.lowercased()
        for entry in entries where entry.key == key {
            if case .text(let text) = entry.value { return text }
        }
        return nil
    }

    /// All texts behind `key`, in order.
    package func texts(_ key: String) -> [String] {
        let key = key.lowercased()
        return entries.compactMap { entry in
            guard entry.key == key, case .text(let text) = entry.value else { return nil }
            return text
        }
    }

    /// The first bytes behind `key`, which ends in `-bin`.
    package func bytes(_ key: String) -> [UInt8]? {
        let key = key.lowercased()
        for entry in entries where entry.key == key {
            if case .bytes(let bytes) = entry.value { return bytes }
        }
        return nil
    }

    /// Adds a text behind what `key` already has.
    ///
    /// - Throws: `RPCError` with `invalidArgument` when the key or the value cannot be sent.
    package mutating func add(_ key: String, _ text: String) throws(RPCError) {
        let key = try Metadata.checked(key, binary: false)
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw RPCError(
                .invalidArgument,
                "the value of metadata \"\(key)\" must be printable ASCII")
        }
        entries.append(Entry(key: key, value: .text(text)))
    }

    /// Adds bytes behind what `key` already has.
    ///
    /// - Throws: `RPCError` with `invalidArgument` when the key cannot be sent or lacks `-bin`.
    package mutating func add(_ key: String, bytes: [UInt8]) throws(RPCError) {
        let key = try Metadata.checked(key, binary: true)
        entries.append(Entry(key: key, value: .bytes(bytes)))
    }

    /// A serialized `google.rpc.Status`: the details of an error, for programs.
    package var statusDetails: [UInt8]? {
        get { bytes(Self.statusDetailsKey) }
        set {
            remove(Self.statusDetailsKey)
            if let newValue {
                entries.append(Entry(key: Self.statusDetailsKey, value: .bytes(newValue)))
            }
        }
    }

    /// The one key of the protocol's own that those who send a status fill.
    private static let statusDetailsKey = "grpc-status-details-bin"

    /// Replaces all that `key` has by one text.
    package mutating func set(_ key: String, _ text: String) throws(RPCError) {
        var changed = self
        changed.remove(key)
        try changed.add(key, text)
        self = changed
    }

    /// Removes all that `key` has.
    package mutating func remove(_ key: String) {
        let key = key.lowercased()
        entries.removeAll { $0.key == key }
    }

    /// Adds all entries of `other` behind these.
    package mutating func append(contentsOf other: Metadata) {
        entries.append(contentsOf: other.entries)
    }

    /// Adds what came from the wire, which the library has checked.
    mutating func addReceived(key: String, value: Value) {
        entries.append(Entry(key: key, value: value))
    }

    /// The key as it is sent.
    private static func checked(_ key: String, binary: Bool) throws(RPCError) -> String {
        let lowered = key.lowercased()
        let legal = lowered.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard legal, !lowered.isEmpty else {
            throw RPCError(
                .invalidArgument,
                "a metadata key is of letters, digits, '-', '_' and '.', not \"\(key)\"")
        }
        guard !lowered.hasPrefix("grpc-") else {
            throw RPCError(
                .invalidArgument, "the metadata key \"\(key)\" belongs to the protocol itself")
        }
        guard lowered.hasSuffix("-bin") == binary else {
            throw RPCError(
                .invalidArgument,
                "keys of bytes, and only they, end in \"-bin\", not \"\(key)\"")
        }
        return lowered
    }
}
