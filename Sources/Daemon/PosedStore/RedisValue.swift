package import NIOCore

/// A value of RESP2, the protocol of Redis and Valkey.
package enum RedisValue: Hashable, Sendable {
    /// A short text, such as `OK`.
    case status(String)
    /// A refusal; its first word says of which kind.
    case error(String)
    case integer(Int64)
    /// Bytes; nil for a value that does not exist.
    case bytes([UInt8]?)
    case array([RedisValue]?)

    /// The bytes of a value that has any.
    package var content: [UInt8]? {
        switch self {
        case .bytes(let bytes): bytes
        case .status(let text): Array(text.utf8)
        default: nil
        }
    }

    /// The same as text.
    package var text: String? { content.map { String(decoding: $0, as: UTF8.self) } }

    /// Writes a command: an array of byte strings.
    package static func encode(_ arguments: [[UInt8]], into buffer: inout ByteBuffer) {
        buffer.writeString("*\(arguments.count)\r\n")
        for argument in arguments {
            buffer.writeString("$\(argument.count)\r\n")
            buffer.writeBytes(argument)
            buffer.writeString("\r\n")
        }
    }
}

/// What a server sent that is not RESP2, or larger than anything that a daemon stores.
package struct RedisProtocolError: Error, Hashable, CustomStringConvertible {
    /// One sentence: what was expected, and what came.
    package let description: String
}

/// Takes values of RESP2 from a stream of bytes.
package struct RedisDecoder: ByteToMessageDecoder {
    package typealias InboundOut = RedisValue

    /// The most bytes of one byte string.
    private static let greatestBytes = 1 << 29
    /// The most values of one array.
    private static let greatestArray = 1 << 16
    /// How deep arrays may be in arrays.
    private static let greatestDepth = 4
    /// The most bytes of a line.
    private static let greatestLine = 64 << 10

    package init() {}

    package mutating func decode(
        context: ChannelHandlerContext, buffer: inout ByteBuffer
    ) throws -> DecodingState {
        guard let value = try Self.value(&buffer) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(value))
        return .continue
    }

    package mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }

    /// The value at the beginning of a buffer, which is then taken from it; nil, and nothing taken, where it is not
    /// there as a whole.
    ///
    /// - Throws: `RedisProtocolError`.
    package static func value(_ buffer: inout ByteBuffer) throws -> RedisValue? {
        var rest = buffer
        guard let value = try read(&rest, depth: 0) else { return nil }
        buffer = rest
        return value
    }

    private static func read(_ buffer: inout ByteBuffer, depth: Int) throws -> RedisValue? {
        guard let line = try line(&buffer) else { return nil }
        let text = String(decoding: line.dropFirst(), as: UTF8.self)
        switch line.first {
        case UInt8(ascii: "+"): return .status(text)
        case UInt8(ascii: "-"): return .error(text)
        case UInt8(ascii: ":"): return .integer(try number(text, in: .min...(.max)))
        case UInt8(ascii: "$"):
            let count = Int(try number(text, in: -1...Int64(greatestBytes)))
            guard count >= 0 else { return .bytes(nil) }
            guard buffer.readableBytes >= count + 2 else { return nil }
            let bytes = buffer.readBytes(length: count) ?? []
            guard buffer.readBytes(length: 2) == [13, 10] else {
                throw RedisProtocolError(
                    description: "a line's end after \(count) bytes expected, but others came")
            }
            return .bytes(bytes)
        case UInt8(ascii: "*"):
            guard depth < greatestDepth else {
                throw RedisProtocolError(
                    description: "arrays at most \(greatestDepth) deep expected, more came")
            }
            let count = try number(text, in: -1...Int64(greatestArray))
            guard count >= 0 else { return .array(nil) }
            var values: [RedisValue] = []
            for _ in 0..<count {
                guard let value = try read(&buffer, depth: depth + 1) else { return nil }
                values.append(value)
            }
            return .array(values)
        default:
            throw RedisProtocolError(
                description: "a value of RESP2 expected, but a line began with "
                    + "byte \(line.first.map { String($0) } ?? "none")")
        }
    }

    private static func line(_ buffer: inout ByteBuffer) throws -> [UInt8]? {
        let view = buffer.readableBytesView
        guard let end = view.prefix(greatestLine).firstIndex(of: 10) else {
            guard view.count < greatestLine else {
                throw RedisProtocolError(
                    description: "a line of at most \(greatestLine) bytes expected, more came")
            }
            return nil
        }
        let bytes = Array(view[..<end])
        buffer.moveReaderIndex(forwardBy: bytes.count + 1)
        guard bytes.last == 13 else {
            throw RedisProtocolError(description: "a line that ends in CR LF expected")
        }
        return Array(bytes.dropLast())
    }

    private static func number(_ text: String, in range: ClosedRange<Int64>) throws -> Int64 {
        guard let number = Int64(text), range.contains(number) else {
            throw RedisProtocolError(
                description: "a number of \(range.lowerBound)…\(range.upperBound) expected, but "
                    + "\(text.prefix(40).debugDescription) came")
        }
        return number
    }
}
