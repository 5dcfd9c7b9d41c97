import PosedErrors
package import PosedRPC
import SwiftProtobuf

/// How much memory messages take when they are decoded, found out from their bytes before that is done.
///
/// A message of a few bytes may hold millions of empty messages, each of which takes a hundred bytes of memory. The
/// descriptors say which fields are messages; everything else takes about as much as it has bytes.
package struct MessageShapes: Sendable {
    /// What a field's bytes are decoded to.
    private enum Field: Sendable {
        /// A message of this type.
        case message(String)
        /// A list of numbers, of one byte at least each.
        case numbers
    }

    /// What an element takes besides its content: the largest of our messages, twice as a list grows.
    private static let element = 128
    private static let number = 16
    /// Messages within messages that the decoder reads.
    private static let deepest = 100

    private let fields: [String: [Int: Field]]

    /// The shapes of all messages that services of a pool use.
    ///
    /// - Throws: `RequestError` `internal` when the pool cannot be read.
    package init(_ pool: DescriptorPool) throws {
        var fields: [String: [Int: Field]] = [:]
        for service in try pool.services() {
            for bytes in try pool.file(declaring: service) ?? [] {
                let file = try Google_Protobuf_FileDescriptorProto(serializedBytes: bytes)
                for type in file.messageType {
                    Self.add(type, in: file.package.isEmpty ? "" : file.package + ".", &fields)
                }
            }
        }
        self.fields = fields
    }

    private static func add(
        _ type: Google_Protobuf_DescriptorProto, in scope: String,
        _ fields: inout [String: [Int: Field]]
    ) {
        let name = scope + type.name
        fields[name] = [:]
        for field in type.field {
            switch field.type {
            case .message:
                fields[name]?[Int(field.number)] = .message(String(field.typeName.dropFirst()))
            case .string, .bytes, .group: break
            default: fields[name]?[Int(field.number)] = .numbers
            }
        }
        for nested in type.nestedType { add(nested, in: name + ".", &fields) }
    }

    /// The memory that a message takes when it is decoded, about and at most.
    package func decodedBytes(_ bytes: MessageBytes, of type: String) -> Int {
        bytes.withUnsafeBytes { weigh($0, type, depth: 0) }
    }

    private func weigh(_ bytes: UnsafeRawBufferPointer, _ type: String, depth: Int) -> Int {
        let known = fields[type] ?? [:]
        var reader = Reader(bytes: bytes)
        var sum = 0
        while let (field, wire) = reader.tag() {
            switch wire {
            case 0: sum += reader.number() == nil ? 0 : Self.number
            case 1: sum += reader.take(8) == nil ? 0 : Self.number
            case 5: sum += reader.take(4) == nil ? 0 : Self.number
            case 2:
                guard let length = reader.number(), let content = reader.take(length) else {
                    return sum
                }
                sum += Self.element
                switch known[field] {
                case .message(let inner)? where depth < Self.deepest:
                    sum += weigh(content, inner, depth: depth + 1)
                case .numbers?: sum += content.count * Self.number
                case .message?, nil: sum += content.count
                }
            default: return sum  // the decoder will say what is wrong
            }
        }
        return sum
    }

    /// Reads the wire format of protobuf; nil at the end, and where there is none.
    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var place = 0

        mutating func tag() -> (field: Int, wire: Int)? {
            number().map { ($0 >> 3, $0 & 7) }
        }

        mutating func number() -> Int? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                guard place < bytes.count else { return nil }
                let byte = bytes[place]
                place += 1
                value |= UInt64(byte & 0x7F) &<< shift
                if byte < 0x80 { return Int(truncatingIfNeeded: value & UInt64(Int64.max)) }
            }
            return nil
        }

        mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
            guard count <= bytes.count - place else { return nil }
            defer { place += count }
            return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
        }
    }
}

extension MethodDescriptor where Request: Message {
    /// The method, whose requests are weighed before they are decoded.
    func weighed(by shapes: MessageShapes) -> MethodDescriptor {
        var method = self
        method.decodedBytes = { shapes.decodedBytes($0, of: Request.protoMessageName) }
        return method
    }
}
