internal import Glibc

/// The bytes of one message: a value that shares its memory until someone writes to it.
///
/// What a codec writes here goes to the socket without another copy; what came from the socket was
/// copied here once.
package struct MessageBytes: Sendable {
    /// The memory behind the value.
    private var storage: MessageStorage
    /// Whether the bytes came compressed with gzip and are so still.
    package private(set) var isCompressed = false

    /// No bytes.
    package init() {
        storage = MessageStorage(count: 0)
    }

    /// A copy of `bytes`.
    package init(_ bytes: some Collection<UInt8>) {
        storage = MessageStorage(count: bytes.count)
        storage.bytes.copyBytes(from: bytes)
    }

    /// `count` times the byte `repeating`.
    package init(repeating: UInt8, count: Int) {
        storage = MessageStorage(count: count)
        storage.bytes.initializeMemory(as: UInt8.self, repeating: repeating)
    }

    /// `count` bytes that `fill` writes, every one of them.
    package init<Failure: Error>(
        count: Int, fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let storage = MessageStorage(count: count)
        try fill(storage.bytes)
        self.storage = storage
    }

    /// How many bytes there are.
    package var count: Int { storage.bytes.count }

    /// Whether there are none.
    package var isEmpty: Bool { count == 0 }

    /// The bytes, for as long as `body` runs.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// The bytes to change, for as long as `body` runs; copied first when they are shared.
    package mutating func withUnsafeMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if !isKnownUniquelyReferenced(&storage) {
            let copy = MessageStorage(count: count)
            copy.bytes.copyMemory(from: UnsafeRawBufferPointer(storage.bytes))
            storage = copy
        }
        return try body(storage.bytes)
    }

    /// A copy as an array.
    package var array: [UInt8] {
        withUnsafeBytes { [UInt8]($0) }
    }

    /// The same bytes, known to be compressed with gzip.
    var markedCompressed: MessageBytes {
        var marked = self
        marked.isCompressed = true
        return marked
    }

    /// The memory, to be kept alive while the library reads it.
    var owner: MessageStorage { storage }
}

extension MessageBytes: Equatable {
    package static func == (one: MessageBytes, other: MessageBytes) -> Bool {
        one.withUnsafeBytes { mine in
            other.withUnsafeBytes { theirs in
                guard mine.count == theirs.count else { return false }
                guard let one = mine.baseAddress, let other = theirs.baseAddress else {
                    return true
                }
                return memcmp(one, other, mine.count) == 0
            }
        }
    }
}

/// Owner of a message's memory.
///
/// Sendable because nobody writes once it is shared: `MessageBytes` copies before it writes.
final class MessageStorage: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(count: Int) {
        bytes = .allocate(byteCount: count, alignment: 16)
    }

    deinit {
        bytes.deallocate()
    }
}
