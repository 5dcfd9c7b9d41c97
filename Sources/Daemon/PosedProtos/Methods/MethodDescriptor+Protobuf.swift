package import PosedRPC
package import SwiftProtobuf

extension MethodDescriptor {
    /// A method whose messages are protobuf's.
    ///
    /// A request that cannot be read is INVALID_ARGUMENT, a reply that cannot is INTERNAL.
    ///
    /// - Parameters:
    ///   - service: The service's full name, `posed.v1.SessionService`.
    ///   - name: The method's name, `GetSession`.
    ///   - shape: Who sends how many messages.
    package init(_ service: String, _ name: String, _ shape: CallShape = .unary)
    where Request: Message, Response: Message {
        self.init(
            path: "/\(service)/\(name)", shape: shape,
            encodeRequest: { try $0.serializedBytes() },
            decodeRequest: { try Self.decode($0, orElse: .invalidArgument) },
            encodeResponse: { try $0.serializedBytes() },
            decodeResponse: { try Self.decode($0, orElse: .internal) })
    }

    private static func decode<Read: Message>(
        _ bytes: MessageBytes, orElse code: StatusCode
    ) throws -> Read {
        do {
            return try Read(serializedBytes: bytes)
        } catch {
            throw RPCError(
                code,
                "expected a message \(Read.protoMessageName), got \(bytes.count) bytes that are none",
                cause: error)
        }
    }
}
