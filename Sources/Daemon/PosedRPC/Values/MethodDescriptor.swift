/// Who sends how many messages in a call.
package enum CallShape: String, Sendable, Hashable, CaseIterable {
    case unary
    case clientStreaming
    case serverStreaming
    case bidirectional
}

/// A method of a service: its name, its shape, and how its messages become bytes and back.
package struct MethodDescriptor<Request: Sendable, Response: Sendable>: Sendable {
    /// Turns a message into bytes.
    package typealias Encode<Message> = @Sendable (Message) throws -> MessageBytes
    /// Turns bytes into a message; throws when they are none.
    package typealias Decode<Message> = @Sendable (MessageBytes) throws -> Message

    /// "/package.Service/Method".
    package let path: String
    package let shape: CallShape
    package let encodeRequest: Encode<Request>
    package let decodeRequest: Decode<Request>
    package let encodeResponse: Encode<Response>
    package let decodeResponse: Decode<Response>
    /// How many bytes of memory a request takes when it is decoded, at most; as many as it has by default.
    package var decodedBytes: @Sendable (MessageBytes) -> Int = { $0.count }

    /// What a server needs to decode requests.
    var requestCodec: MessageCodec<Request> {
        MessageCodec(decode: decodeRequest, decodedBytes: decodedBytes)
    }

    package init(
        path: String, shape: CallShape,
        encodeRequest: @escaping Encode<Request>, decodeRequest: @escaping Decode<Request>,
        encodeResponse: @escaping Encode<Response>, decodeResponse: @escaping Decode<Response>
    ) {
        self.path = path
        self.shape = shape
        self.encodeRequest = encodeRequest
        self.decodeRequest = decodeRequest
        self.encodeResponse = encodeResponse
        self.decodeResponse = decodeResponse
    }
}

/// How bytes become messages of one type, and what those take.
struct MessageCodec<Message: Sendable>: Sendable {
    let decode: @Sendable (MessageBytes) throws -> Message
    let decodedBytes: @Sendable (MessageBytes) -> Int
}

extension MethodDescriptor where Request == MessageBytes, Response == MessageBytes {
    /// A method whose messages are the bytes themselves.
    package init(rawPath path: String, shape: CallShape) {
        self.init(
            path: path, shape: shape, encodeRequest: { $0 }, decodeRequest: { $0 },
            encodeResponse: { $0 }, decodeResponse: { $0 })
    }
}
