/// Where a handler writes its messages.
package struct ResponseWriter<Response: Sendable>: Sendable {
    private let call: ServerCall
    private let encode: @Sendable (Response) throws -> MessageBytes

    init(_ call: ServerCall, encode: @escaping @Sendable (Response) throws -> MessageBytes) {
        self.call = call
        self.encode = encode
    }

    /// Returns when the client's window has let the message pass: a slow reader slows the writer down.
    ///
    /// Several tasks may write; their messages go in the order of asking.
    ///
    /// - Throws: `CancellationError` when the task or the call is cancelled, `RPCError` with
    ///   `resourceExhausted` for a message beyond the limit.
    package func write(_ response: Response) async throws {
        try await call.write(try encode(response))
    }

    /// Sends the initial metadata now instead of with the first message.
    package func open() async throws {
        try await call.open()
    }
}
