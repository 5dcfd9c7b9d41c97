import CPosedReflection
import PosedErrors

/// What protobuf files declare, for clients that were built without them.
///
/// Sendable because the pool behind the pointer never changes once it is made, and asking it takes locks of
/// its own.
package final class DescriptorPool: @unchecked Sendable {
    private let pool: OpaquePointer

    /// The pool of the project's own files. Throws `RequestError` `internal`.
    package convenience init() throws {
        var size = 0
        let bytes = posed_reflection_embedded(&size)
        try self.init(UnsafeRawBufferPointer(start: bytes, count: size))
    }

    /// A pool of a serialized `FileDescriptorSet`. Throws `RequestError` `internal`.
    package init(_ set: UnsafeRawBufferPointer) throws {
        var message = [CChar](repeating: 0, count: Int(POSED_REFLECTION_MESSAGE_CAPACITY))
        var pool: OpaquePointer?
        let status = message.withUnsafeMutableBufferPointer { text in
            posed_reflection_create(
                set.assumingMemoryBound(to: UInt8.self).baseAddress, set.count, &pool,
                text.baseAddress, text.count)
        }
        guard status == POSED_REFLECTION_OK, let pool else {
            let text = String(
                decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw RequestError(.internal, "the descriptors of the protocol cannot be used: \(text)")
        }
        self.pool = pool
    }

    deinit { posed_reflection_destroy(pool) }

    /// The full names of all services, sorted.
    package func services() throws -> [String] {
        let names = try ask { posed_reflection_services(pool, $0) } ?? []
        return names.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A file and all that it imports, serialized; nil for one that there is not.
    package func file(named name: String) throws -> [[UInt8]]? {
        try ask(name) { posed_reflection_file(pool, $0, $1, $2) }
    }

    /// The file that declares a symbol and all that it imports; nil for one that there is not.
    package func file(declaring symbol: String) throws -> [[UInt8]]? {
        try ask(symbol) { posed_reflection_symbol(pool, $0, $1, $2) }
    }

    /// The file that declares an extension and all that it imports; nil for one that there is not.
    package func file(declaringExtension number: Int32, of message: String) throws -> [[UInt8]]? {
        try ask(message) { posed_reflection_extension(pool, $0, $1, number, $2) }
    }

    /// The numbers of a message's extensions; nil for a message that there is not.
    package func extensionNumbers(of message: String) throws -> [Int32]? {
        var reply: OpaquePointer?
        defer { posed_reflection_reply_free(reply) }
        let status = Self.withText(message) {
            posed_reflection_extension_numbers(pool, $0, $1, &reply)
        }
        guard try found(status), let reply else { return nil }
        var count = 0
        let numbers = posed_reflection_reply_numbers(reply, &count)
        return [Int32](UnsafeBufferPointer(start: numbers, count: count))
    }

    private typealias Reply = UnsafeMutablePointer<OpaquePointer?>

    private func ask(
        _ text: String,
        _ question: (UnsafePointer<CChar>?, Int, Reply) -> posed_reflection_status
    ) throws -> [[UInt8]]? {
        try ask { reply in Self.withText(text) { question($0, $1, reply) } }
    }

    private func ask(_ question: (Reply) -> posed_reflection_status) throws -> [[UInt8]]? {
        var reply: OpaquePointer?
        defer { posed_reflection_reply_free(reply) }
        guard try found(question(&reply)), let reply else { return nil }
        return (0..<posed_reflection_reply_count(reply)).map { index in
            var size = 0
            let bytes = posed_reflection_reply_bytes(reply, index, &size)
            return [UInt8](UnsafeBufferPointer(start: bytes, count: size))
        }
    }

    /// Whether there is an answer. Throws for what is no answer at all.
    private func found(_ status: posed_reflection_status) throws -> Bool {
        switch status {
        case POSED_REFLECTION_OK: return true
        case POSED_REFLECTION_NOT_FOUND: return false
        default:
            throw RequestError(
                .internal, "the pool of descriptors failed with status \(status.rawValue)")
        }
    }

    /// The text's bytes, whatever they are: names may hold zeros.
    private static func withText<Result>(
        _ text: String, _ body: (UnsafePointer<CChar>?, Int) -> Result
    ) -> Result {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) }
        }
    }
}
