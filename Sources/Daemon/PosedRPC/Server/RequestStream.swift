/// The messages of a client, read one at a time when asked for.
///
/// That is the flow control: what nobody asks for stays with the sender once its window is full. One
/// task reads at a time.
package struct RequestStream<Request: Sendable>: AsyncSequence, Sendable {
    package typealias Element = Request
    package typealias Failure = any Error

    private let call: ServerCall
    private let codec: MessageCodec<Request>

    init(_ call: ServerCall, _ codec: MessageCodec<Request>) {
        self.call = call
        self.codec = codec
    }

    /// The next message; nil when the client has sent its last.
    ///
    /// - Throws: As `received()`.
    package func next() async throws -> Request? { try await received()?.message }

    /// The next message and what is charged for it; nil when the client has sent its last.
    ///
    /// - Throws: `CancellationError` when the task or the call is cancelled, `RPCError` with
    ///   `invalidArgument` for bytes that are no such message, `RequestError` with `resourceExhausted` for a
    ///   message that the caller's account has no room for. The stream goes on after the last two.
    package func received() async throws -> Received<Request>? { try await call.next(codec) }

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
