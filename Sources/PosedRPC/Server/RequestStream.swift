/// The messages of a client, read one at a time when asked for.
///
/// That is the flow control: what nobody asks for stays with the sender once its window is full. One
/// task reads at a time.
package struct RequestStream<Request: Sendable>: AsyncSequence, Sendable {
    package typealias Element = Request
    package typealias Failure = any Error

    private let call: ServerCall
    private let decode: MethodDescriptor<Request, Request>.Decode<Request>

    init(_ call: ServerCall, decode: @escaping @Sendable (MessageBytes) throws -> Request) {
        self.call = call
        self.decode = decode
    }

    /// The next message; nil when the client has sent its last.
    ///
    /// - Throws: `CancellationError` when the task or the call is cancelled, `RPCError` with
    ///   `invalidArgument` for bytes that are no such message. The stream goes on after that.
    package func next() async throws -> Request? {
        guard let bytes = try await call.read() else { return nil }
        return try ServerCall.decoded(bytes, decode, call.context.request.method)
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(stream: self)
    }

    /// Reads the stream that it came from; all iterators of a stream share its messages.
    package struct Iterator: AsyncIteratorProtocol {
        let stream: RequestStream

        package mutating func next() async throws -> Request? {
            try await stream.next()
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> Request? {
            try await stream.next()
        }
    }
}
