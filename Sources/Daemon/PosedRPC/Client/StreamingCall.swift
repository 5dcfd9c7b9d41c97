/// A call in which messages flow for a while, from the client's side.
///
/// Cancelling a task that waits in one of these functions cancels the call, and so does letting go
/// of the last reference to it before its end.
package final class StreamingCall<Request: Sendable, Response: Sendable>: Sendable, AsyncSequence {
    package typealias Element = Response
    package typealias Failure = any Error

    private let transport: ClientTransport
    private let method: MethodDescriptor<Request, Response>

    init(_ transport: ClientTransport, _ method: MethodDescriptor<Request, Response>) {
        self.transport = transport
        self.method = method
    }

    deinit {
        if transport.statusNow == nil { transport.cancel() }
    }

    /// Returns when the library has taken the message: a slow server slows the client down.
    ///
    /// - Throws: `RPCError` with the call's status when it has failed; with `aborted` when the server
    ///   has ended it without reading on, and reading its messages will tell how; `CancellationError`
    ///   when the task was cancelled.
    package func write(_ request: Request) async throws {
        guard try await offer(request) else {
            throw RPCError(.aborted, "the server ended the call without reading all messages")
        }
    }

    /// Writes unless the server has ended the call; returns whether it did write.
    func offer(_ request: Request) async throws -> Bool {
        try await transport.write(try method.encodeRequest(request))
    }

    /// Tells the server that no more messages follow.
    package func finishWriting() async throws {
        try await transport.finishWriting()
    }

    /// The next message of the server; nil when the call ended well.
    ///
    /// - Throws: `RPCError` with the call's status when it did not, `CancellationError` when the task
    ///   was cancelled.
    package func next() async throws -> Response? {
        guard let bytes = try await transport.read() else { return nil }
        return try Channel.decoded(bytes, method)
    }

    /// What the server sent before its first message.
    package func initialMetadata() async -> Metadata {
        await transport.initialMetadata()
    }

    /// How the call ended; waits for it. The status comes behind the last message: read them all
    /// first, or cancel.
    package func status() async -> CallStatus {
        await transport.status()
    }

    /// Ends the call now.
    package func cancel() {
        transport.cancel()
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(call: self)
    }

    /// Reads the call that it came from; all iterators of a call share its messages.
    package struct Iterator: AsyncIteratorProtocol {
        let call: StreamingCall

        package mutating func next() async throws -> Response? {
            try await call.next()
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> Response? {
            try await call.next()
        }
    }
}
