internal import Tracing

/// Spans as `opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest`.
enum OTLP {
    /// The request of these spans.
    static func request(_ spans: [FinishedSpan], version: String) -> [UInt8] {
        var request = ProtobufWriter()
        request.message(1) { resourceSpans in
            resourceSpans.message(1) { resource in
                write([("service.name", "posed"), ("service.version", version)], to: &resource, 1)
            }
            resourceSpans.message(2) { scopeSpans in
                scopeSpans.message(1) { $0.bytes(1, "posed".utf8) }
                for span in spans { scopeSpans.message(2) { write(span, to: &$0) } }
            }
        }
        return request.bytes
    }

    private static func write(_ span: FinishedSpan, to message: inout ProtobufWriter) {
        message.bytes(1, span.place.trace)
        message.bytes(2, span.place.span)
        if let parent = span.parent { message.bytes(4, parent) }
        message.bytes(5, span.name.utf8)
        message.number(6, span.kind == .server ? 2 : 1)
        message.fixed(7, span.start)
        message.fixed(8, span.end)
        var attributes: [(String, Any)] = []
        span.attributes.forEach { name, value in
            switch value {
            case .int32(let value): attributes.append((name, Int64(value)))
            case .int64(let value): attributes.append((name, value))
            case .double(let value): attributes.append((name, value))
            case .bool(let value): attributes.append((name, value))
            case .string(let value): attributes.append((name, value))
            default: attributes.append((name, "\(value)"))
            }
        }
        write(attributes.sorted { $0.0 < $1.0 }, to: &message, 9)
        if let status = span.status {
            message.message(15) { written in
                if let sentence = status.message { written.bytes(2, sentence.utf8) }
                written.number(3, status.code == .error ? 2 : 1)
            }
        }
    }

    private static func write(
        _ attributes: [(String, Any)], to message: inout ProtobufWriter, _ field: Int
    ) {
        for (name, value) in attributes {
            message.message(field) { pair in
                pair.bytes(1, name.utf8)
                pair.message(2) { written in
                    switch value {
                    case let value as Bool: written.number(2, value ? 1 : 0)
                    case let value as Int64: written.number(3, UInt64(bitPattern: value))
                    case let value as Double: written.fixed(4, value.bitPattern)
                    default: written.bytes(1, "\(value)".utf8)
                    }
                }
            }
        }
    }
}

/// Writes fields of protobuf.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    /// A field of variable length.
    mutating func number(_ field: Int, _ value: UInt64) {
        varint(UInt64(field) << 3)
        varint(value)
    }

    /// A field of 64 bits.
    mutating func fixed(_ field: Int, _ value: UInt64) {
        varint(UInt64(field) << 3 | 1)
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A field of bytes or text.
    mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// A field that is a message.
    mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        body(&inner)
        bytes(field, inner.bytes)
    }

    private mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
    }
}
