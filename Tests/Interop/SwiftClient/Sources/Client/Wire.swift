import GRPCCore
import SwiftProtobuf

/// A message's bytes, for grpc-swift.
struct Coder<Value: Message>: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: Value) throws -> Bytes {
        Bytes(try message.serializedBytes() as [UInt8])
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Value {
        try bytes.withUnsafeBytes { try Value(serializedBytes: Array($0)) }
    }
}

/// A name like `posed.v1.SessionService/GetSession`.
func method(_ name: String) -> MethodDescriptor {
    let parts = name.split(separator: "/")
    return MethodDescriptor(fullyQualifiedService: String(parts[0]), method: String(parts[1]))
}

/// What tells proxies where a session's requests go.
func routing(_ session: String?) -> Metadata {
    var metadata = Metadata()
    if let session { metadata.addString(session, forKey: "x-posed-session") }
    return metadata
}

extension GRPCClient {
    /// One request, one reply.
    ///
    /// - Parameter session: the session that the request is about, for whoever routes it.
    func call<Request: Message, Response: Message>(
        _ name: String, _ request: Request, session: String? = nil,
        timeout: Duration = .seconds(60)
    ) async throws -> Response {
        var options = CallOptions.defaults
        options.timeout = timeout
        return try await unary(
            request: ClientRequest(message: request, metadata: routing(session)),
            descriptor: method(name),
            serializer: Coder<Request>(), deserializer: Coder<Response>(), options: options
        ) { try $0.message }
    }
}
